package main

import (
	"fmt"
	"os"
	"path"
	"regexp"
	"strings"
)

// Which container instance this is: a drain that is meant for another one is refused (rule G5a).
type identity struct {
	Node        string `json:"node"`
	Pop         string `json:"pop"`
	Version     string `json:"version"`
	PodUID      string `json:"podUID"`
	ContainerID string `json:"containerID"`
}

var containerName = regexp.MustCompile(`^[0-9a-f]{64}$`)

// The pod's template gives node, PoP and pod; the container's ID is the name of its own cgroup.
func readIdentity() (identity, error) {
	me := identity{Node: os.Getenv("NODE_NAME"), Pop: os.Getenv("POP"), PodUID: os.Getenv("POD_UID"), Version: version}
	if me.Node == "" || me.PodUID == "" {
		return me, fmt.Errorf("NODE_NAME or POD_UID is not set: write both into the pod's template, from spec.nodeName and metadata.uid")
	}
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return me, fmt.Errorf("this container's ID cannot be read: %w", err)
	}
	for line := range strings.Lines(string(groups)) {
		if name := path.Base(strings.TrimSpace(line)); containerName.MatchString(name) {
			me.ContainerID = "containerd://" + name
			return me, nil
		}
	}
	return me, fmt.Errorf("no line of /proc/self/cgroup ends in a container's ID; it says: %s", groups)
}
