// A data plane for real nodes: the interface of docs/data-plane.openapi.yaml in one static binary. Its version is linked in, so two
// versions are two binaries; a version that ends in -crash-loop exits soon after each start, one in -bad-health answers 500 from the start.
package main

import (
	"context"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

var version = "0.0.0"

const (
	readyAfter     = 100 * time.Millisecond
	crashesAfter   = 200 * time.Millisecond
	handBackAtMost = time.Second
)

func main() {
	if strings.HasSuffix(version, "-crash-loop") {
		time.Sleep(crashesAfter)
		log.Fatalf("Version %s ends right after its start.", version)
	}
	me, err := readIdentity()
	if err != nil {
		log.Fatal(err)
	}
	sessions := newSessions(me.Node)
	drain := newDrain(me, sessions)
	plane := &plane{me: me, sessions: sessions, drain: drain, started: time.Now(), unhealthy: strings.HasSuffix(version, "-bad-health")}

	listener, err := net.Listen("tcp", ":7000")
	if err != nil {
		log.Fatalf("Sessions cannot be taken on port 7000: %v.", err)
	}
	go sessions.accept(listener, func() bool { return plane.serves() && !drain.holds() }, plane.started)

	server := &http.Server{Addr: ":8080", Handler: plane.routes(), ReadTimeout: 10 * time.Second}
	ended, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	go func() {
		if err := server.ListenAndServe(); err != http.ErrServerClosed {
			log.Fatalf("HTTP cannot be served on port 8080: %v.", err)
		}
	}()
	log.Printf("Version %s serves on %s as container %s.", version, me.Node, me.ContainerID)
	<-ended.Done()
	listener.Close()
	sessions.handBack(func() bool { return true })
	server.Close()
	os.Exit(0)
}
