package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"ken/cmd/ken/internal/config"
	"ken/cmd/ken/internal/wire"
)

// chosen is a source that is to be read.
type chosen struct {
	config.Source
	file string // the configuration that it stands in; "" for the command line
}

// choose finds the sources that the arguments name: folders, URLs, names of the
// configuration; without any, all that the configuration has.
func (p *program) choose(args []string, o ingestOptions) ([]chosen, error) {
	if o.name != "" && len(args) != 1 {
		return nil, usage("--name names one source: name several in %s", config.ConfigFile)
	}
	if len(args) == 0 {
		file, all, err := p.configured(o.config)
		if err == nil && len(all) == 0 {
			err = usage("name a folder or URL, or write %s with sources in it", config.ConfigFile)
		}
		return inFile(file, all), err
	}
	var out []chosen
	for _, arg := range args {
		c, err := p.chooseOne(arg, o)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

func inFile(file string, all []config.Source) []chosen {
	out := make([]chosen, len(all))
	for i, s := range all {
		out[i] = chosen{s, file}
	}
	return out
}

func (p *program) chooseOne(arg string, o ingestOptions) (chosen, error) {
	given := config.Source{Name: o.name, URL: arg, MaxBytes: o.maxBytes, Policy: o.policy, AllowPrivate: o.allowPrivate}
	if o.policy != "" {
		given.Policy = p.path(o.policy)
	}
	if wire.SchemeOf(arg) == wire.ToolsScheme {
		return chosen{}, usage("a source %s:// stands in %s, where the server finds it", wire.ToolsScheme, config.ConfigFile)
	}
	if wire.SchemeOf(arg) != "" {
		return chosen{Source: given}, nil
	}
	_, err := os.Stat(p.path(arg))
	if err == nil && o.config == "" {
		given.URL = p.path(arg)
		return chosen{Source: given}, nil
	}
	file, all, cerr := p.configured(o.config)
	i := slices.IndexFunc(all, func(s config.Source) bool { return s.Name == arg })
	switch {
	case cerr != nil:
		return chosen{}, cerr
	case i >= 0 && (o.name != "" || o.owner != "" || o.policy != "" || o.maxBytes != 0 || len(o.allowPrivate) > 0):
		return chosen{}, usage("%q stands in %s: say there what is to be said of it", arg, file)
	case i >= 0:
		return chosen{all[i], file}, nil
	}
	given.URL = p.path(arg) // its opening says what is wrong
	return chosen{Source: given}, nil
}

// configured reads the sources of the configuration that a flag, the environment
// or the working directory name.
func (p *program) configured(flag string) (string, []config.Source, error) {
	file := flag
	if file == "" {
		file = p.getenv(config.ConfigVar)
	}
	needed := file != ""
	if !needed {
		file = config.ConfigFile
	}
	file, err := filepath.Abs(p.path(file))
	if err != nil {
		return "", nil, err
	}
	all, err := config.LoadSources(file)
	if errors.Is(err, fs.ErrNotExist) && !needed {
		return file, nil, nil
	}
	return file, all, err
}

// again are the arguments that read the source again.
func (c chosen) again(s *wire.Source, owner string, o ingestOptions) []string {
	if c.file != "" {
		return []string{c.Name, "--config=" + c.file}
	}
	place := c.URL
	if s.Folder != "" && wire.SchemeOf(c.URL) == "" {
		place = s.Folder
	}
	args := []string{place, "--name=" + s.Name(), "--owner=" + owner}
	if o.maxBytes > 0 {
		args = append(args, fmt.Sprintf("--max-bytes=%d", o.maxBytes))
	}
	if o.policy != "" {
		if full, err := filepath.Abs(c.Policy); err == nil {
			args = append(args, "--policy="+full)
		}
	}
	for _, a := range o.allowPrivate {
		args = append(args, "--allow-private="+a)
	}
	return args
}
