package main

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// The body of /drain and /undrain.
type order struct {
	Token       string `json:"token"`
	PodUID      string `json:"podUID"`
	ContainerID string `json:"containerID"`
	Sequence    *int64 `json:"sequence"`
	Lease       string `json:"lease"`
}

type refusal struct{ Reason, Message string }

// A drain is a level with a token and a lease (rule G5a): what was heard late, twice, or for another container changes nothing.
type drain struct {
	me        identity
	sessions  *sessions
	lock      sync.Mutex
	token     string
	until     time.Time
	newest    int64
	cancelled map[string]bool
}

func newDrain(me identity, sessions *sessions) *drain {
	return &drain{me: me, sessions: sessions, newest: -1, cancelled: map[string]bool{}}
}

func (d *drain) holds() bool { return d.current() != "" }

// The token that drains now; a lease that ran out ends the drain and refuses its token from then on.
func (d *drain) current() string {
	d.lock.Lock()
	defer d.lock.Unlock()
	return d.expire()
}

func (d *drain) expire() string {
	if d.token != "" && !time.Now().Before(d.until) {
		d.cancelled[d.token] = true
		d.token = ""
	}
	return d.token
}

func (d *drain) start(asked order, lease time.Duration) *refusal {
	d.lock.Lock()
	defer d.lock.Unlock()
	if other := d.otherInstance(asked); other != nil {
		return other
	}
	held, sequence := d.expire(), sequenceOf(asked)
	if held != asked.Token {
		switch {
		case d.cancelled[asked.Token]:
			return &refusal{"Cancelled", fmt.Sprintf("Token %s was cancelled here, or its lease ran out.", asked.Token)}
		case asked.Sequence != nil && sequence < d.newest:
			return &refusal{"Older", fmt.Sprintf("Sequence %d is older than %d, which was heard here.", sequence, d.newest)}
		case held != "" && sequence <= d.newest:
			return &refusal{"HeldByAnother", fmt.Sprintf("Token %s drains this instance.", held)}
		case held != "":
			d.cancelled[held] = true
		}
	}
	d.newest, d.token, d.until = max(d.newest, sequence), asked.Token, time.Now().Add(lease)
	go d.sessions.handBack(d.holds)
	return nil
}

func (d *drain) cancel(asked order) *refusal {
	d.lock.Lock()
	defer d.lock.Unlock()
	if other := d.otherInstance(asked); other != nil {
		return other
	}
	d.newest = max(d.newest, sequenceOf(asked))
	d.cancelled[asked.Token] = true
	if d.token == asked.Token {
		d.token = ""
	}
	return nil
}

func (d *drain) otherInstance(asked order) *refusal {
	if asked.PodUID == d.me.PodUID && bare(asked.ContainerID) == bare(d.me.ContainerID) {
		return nil
	}
	return &refusal{"AnotherInstance", fmt.Sprintf("Meant for pod %s, container %s; this is pod %s, container %s.",
		asked.PodUID, asked.ContainerID, d.me.PodUID, d.me.ContainerID)}
}

// Without a sequence only known tokens are refused.
func sequenceOf(asked order) int64 {
	if asked.Sequence == nil {
		return -1
	}
	return *asked.Sequence
}

func bare(containerID string) string {
	if _, name, found := strings.Cut(containerID, "://"); found {
		return name
	}
	return containerID
}
