package main

import (
	"bufio"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	handBackSteps = 16
	handBackEvery = 50 * time.Millisecond
)

var (
	opening = regexp.MustCompile(`^session (\S{1,64}) from=(\S{1,253}) lost=(\d{1,12})$`)
	// The promise is 10 seconds (rule P11); both sides of it have to be told apart.
	bounds = []float64{0.1, 0.5, 1, 2, 5, 9, 10, 11, 15, 30, 60}
)

type returns struct {
	counts []int
	sum    float64
	count  int
}

// The TCP sessions of this node, and how long those that came from other nodes had been away.
type sessions struct {
	node string
	lock sync.Mutex
	held map[string]net.Conn
	came map[string]*returns
}

func newSessions(node string) *sessions {
	return &sessions{node: node, held: map[string]net.Conn{}, came: map[string]*returns{}}
}

func (s *sessions) ids() []string {
	s.lock.Lock()
	defer s.lock.Unlock()
	ids := make([]string, 0, len(s.held))
	for id := range s.held {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func (s *sessions) accept(listener net.Listener, welcome func() bool, started time.Time) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		go s.serve(connection, welcome, started)
	}
}

// One line opens a session; after that the connection itself is the session.
func (s *sessions) serve(connection net.Conn, welcome func() bool, started time.Time) {
	defer connection.Close()
	lines := bufio.NewReaderSize(connection, 1024)
	line, err := lines.ReadSlice('\n')
	found := opening.FindStringSubmatch(strings.TrimSuffix(string(line), "\n"))
	if err != nil || found == nil {
		fmt.Fprint(connection, "error: expected one line \"session <id> from=<node|-> lost=<milliseconds>\"\n")
		return
	}
	if !welcome() {
		fmt.Fprint(connection, "busy after=0 to=-\n")
		return
	}
	id, from := found[1], found[2]
	lost, _ := strconv.ParseFloat(found[3], 64)
	s.take(id, from, lost/1000, connection)
	fmt.Fprintf(connection, "ok %s started=%d\n", s.node, started.UnixMilli())
	for err == nil {
		_, err = lines.ReadSlice('\n')
	}
	s.leave(id, connection)
}

func (s *sessions) take(id, from string, lost float64, connection net.Conn) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if older := s.held[id]; older != nil {
		older.Close()
	}
	s.held[id] = connection
	if from == "-" {
		return
	}
	if s.came[from] == nil {
		s.came[from] = &returns{counts: make([]int, len(bounds))}
	}
	series := s.came[from]
	for index, bound := range bounds {
		if lost <= bound {
			series.counts[index]++
		}
	}
	series.sum += lost
	series.count++
}

func (s *sessions) leave(id string, connection net.Conn) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.held[id] == connection {
		delete(s.held, id)
	}
}

// Sends sessions away, a sixteenth every 50 ms, while goOn says so.
func (s *sessions) handBack(goOn func() bool) {
	ids := s.ids()
	share := max(1, (len(ids)+handBackSteps-1)/handBackSteps)
	for some := range slices.Chunk(ids, share) {
		if !goOn() {
			return
		}
		s.lock.Lock()
		for _, id := range some {
			if connection := s.held[id]; connection != nil {
				delete(s.held, id)
				connection.SetWriteDeadline(time.Now().Add(handBackAtMost))
				fmt.Fprint(connection, "bye after=0 to=-\n")
				connection.Close()
			}
		}
		s.lock.Unlock()
		time.Sleep(handBackEvery)
	}
}
