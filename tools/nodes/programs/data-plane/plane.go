package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Longer leases are a mistake of the asker: the node would stay away for days after the operator died.
const longestLease = 24 * time.Hour

type plane struct {
	me        identity
	sessions  *sessions
	drain     *drain
	started   time.Time
	unhealthy bool
}

type drainState struct {
	Accepted bool   `json:"accepted"`
	Reason   string `json:"reason,omitempty"`
	Message  string `json:"message"`
	Draining bool   `json:"draining"`
	Token    string `json:"token,omitempty"`
	Sessions int    `json:"sessions"`
}

func (p *plane) routes() http.Handler {
	routes := http.NewServeMux()
	routes.HandleFunc("GET /healthz", p.healthz)
	routes.HandleFunc("GET /metrics", p.metrics)
	routes.HandleFunc("GET /sessions", func(answer http.ResponseWriter, _ *http.Request) {
		ids := p.sessions.ids()
		write(answer, http.StatusOK, map[string]any{"node": p.me.Node, "count": len(ids), "sessions": ids})
	})
	routes.HandleFunc("POST /drain", func(answer http.ResponseWriter, request *http.Request) {
		p.ordered(answer, request, func(asked order) (*refusal, error) {
			lease, err := time.ParseDuration(asked.Lease)
			if err != nil || lease < time.Second || lease > longestLease {
				return nil, fmt.Errorf("lease is %q, write a duration from 1s to 24h", asked.Lease)
			}
			return p.drain.start(asked, lease), nil
		})
	})
	routes.HandleFunc("POST /undrain", func(answer http.ResponseWriter, request *http.Request) {
		p.ordered(answer, request, func(asked order) (*refusal, error) { return p.drain.cancel(asked), nil })
	})
	return routes
}

func (p *plane) serves() bool { return time.Since(p.started) >= readyAfter }

func (p *plane) healthz(answer http.ResponseWriter, _ *http.Request) {
	status, health := http.StatusOK, "Healthy"
	if !p.serves() {
		status, health = http.StatusServiceUnavailable, "Starting"
	} else if p.unhealthy {
		status, health = http.StatusInternalServerError, "Unhealthy"
	}
	write(answer, status, struct {
		identity
		Health   string `json:"health"`
		Draining bool   `json:"draining"`
		Started  int64  `json:"started"`
	}{p.me, health, p.drain.holds(), p.started.UnixMilli()})
}

func (p *plane) ordered(answer http.ResponseWriter, request *http.Request, act func(order) (*refusal, error)) {
	var asked order
	err := json.NewDecoder(http.MaxBytesReader(answer, request.Body, 1<<16)).Decode(&asked)
	if err == nil && (asked.Token == "" || asked.PodUID == "" || asked.ContainerID == "") {
		err = fmt.Errorf("token, podUID or containerID is missing: write all three")
	}
	var refused *refusal
	if err == nil {
		refused, err = act(asked)
	}
	if err != nil {
		write(answer, http.StatusBadRequest, map[string]string{"message": err.Error()})
		return
	}
	token := p.drain.current()
	state := drainState{Accepted: true, Message: "Heard.", Draining: token != "", Token: token, Sessions: len(p.sessions.ids())}
	status := http.StatusOK
	if refused != nil {
		status, state.Accepted, state.Reason, state.Message = http.StatusConflict, false, refused.Reason, refused.Message
	}
	write(answer, status, state)
}

func (p *plane) metrics(answer http.ResponseWriter, _ *http.Request) {
	own := fmt.Sprintf("node=%q,pop=%q", p.me.Node, p.me.Pop)
	var page strings.Builder
	family := func(name, kind, help string) {
		fmt.Fprintf(&page, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
	}
	family("pop_active_sessions", "gauge", "Sessions that the node holds.")
	fmt.Fprintf(&page, "pop_active_sessions{%s} %d\n", own, len(p.sessions.ids()))
	family("pop_build_info", "gauge", "Always 1; the version in its label.")
	fmt.Fprintf(&page, "pop_build_info{%s,version=%q} 1\n", own, p.me.Version)
	family("pop_session_reconnect_seconds", "histogram", "Time from the loss of a session to its return, by the node that it came from.")
	p.sessions.writeReturns(&page, own)
	answer.Header().Set("Content-Type", "text/plain; version=0.0.4")
	fmt.Fprint(answer, page.String())
}

func (s *sessions) writeReturns(page *strings.Builder, own string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	froms := make([]string, 0, len(s.came))
	for from := range s.came {
		froms = append(froms, from)
	}
	slices.Sort(froms)
	const name = "pop_session_reconnect_seconds"
	for _, from := range froms {
		series, labels := s.came[from], fmt.Sprintf("%s,from=%q", own, from)
		for index, bound := range bounds {
			fmt.Fprintf(page, "%s_bucket{%s,le=\"%v\"} %d\n", name, labels, bound, series.counts[index])
		}
		fmt.Fprintf(page, "%s_bucket{%s,le=\"+Inf\"} %d\n%s_sum{%s} %v\n%s_count{%s} %d\n", name, labels, series.count, name, labels, series.sum,
			name, labels, series.count)
	}
}

func write(answer http.ResponseWriter, status int, value any) {
	answer.Header().Set("Content-Type", "application/json")
	answer.WriteHeader(status)
	json.NewEncoder(answer).Encode(value)
}
