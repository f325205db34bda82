package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// fileSet knows the content of the files knowledge is made of.
type fileSet struct {
	stamp string   // names, sizes and times, which are cheap to look at
	sum   [32]byte // content
}

// changed reports whether the content of the files that c names is another than the
// last time. Content is read only if a size or a time differs.
func (s *fileSet) changed(configFile string, c *config) (bool, error) {
	list, err := knowledgeFiles(configFile, c)
	if err != nil {
		return false, err
	}
	stamp := ""
	for _, p := range list {
		info, err := os.Stat(p)
		if err != nil {
			return false, fmt.Errorf("looking at files of knowledge: %w", err)
		}
		stamp += fmt.Sprintln(p, info.Size(), info.ModTime().UnixNano())
	}
	if stamp == s.stamp {
		return false, nil
	}
	sum := sha256.New()
	for _, p := range list {
		if err := addContent(sum, p); err != nil {
			return false, err
		}
	}
	old := s.sum
	s.stamp = stamp
	sum.Sum(s.sum[:0])
	return s.sum != old, nil
}

func addContent(w io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("looking at files of knowledge: %w", err)
	}
	defer func() { _ = f.Close() }()
	_, _ = fmt.Fprintln(w, path)
	if _, err := io.Copy(w, f); err != nil {
		return fmt.Errorf("looking at files of knowledge: %w", err)
	}
	return nil
}

// knowledgeFiles lists the files, sorted within each directory.
func knowledgeFiles(configFile string, c *config) ([]string, error) {
	var list []string
	if configFile != "" {
		list = append(list, configFile)
	}
	for _, p := range c.Packs {
		info, err := os.Stat(p)
		if err != nil {
			return nil, fmt.Errorf("looking at packs: %w", err)
		}
		if !info.IsDir() {
			list = append(list, p)
			continue
		}
		inside, err := filepath.Glob(filepath.Join(p, "*.yaml"))
		if err != nil {
			return nil, fmt.Errorf("looking at packs: %w", err)
		}
		slices.Sort(inside)
		list = append(list, inside...)
	}
	for _, f := range c.Feeds {
		list = append(list, f.Path)
	}
	return append(list, c.WatchLists...), nil
}
