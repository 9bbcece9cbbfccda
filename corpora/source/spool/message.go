package spool

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"ken/corpora/acl"
	"ken/corpora/policy"
	"ken/corpora/source/item"
)

// ErrMessage says that a message is not understood. What it wraps is for its sender.
var ErrMessage = errors.New("malformed message")

// Message is one version of a document, or its deletion.
type Message struct {
	ID      string // path within the source
	Version int64  // 1 or more; the greatest one is in force
	Delete  bool
	Meta
	Data []byte
}

// Meta is what a message says of a document besides its bytes.
type Meta struct {
	Title     string        `json:"title,omitzero"`
	URL       string        `json:"url,omitzero"`
	MediaType string        `json:"media_type,omitzero"` // "" lets the id and the bytes tell
	Language  string        `json:"language,omitzero"`
	Class     string        `json:"class,omitzero"`
	Tags      []string      `json:"tags,omitzero"`
	Updated   time.Time     `json:"updated,omitzero"`
	States    bool          `json:"states,omitzero"` // Allow is who may read; else the policy says
	Allow     []acl.Subject `json:"allow,omitzero"`
	Deny      []acl.Subject `json:"deny,omitzero"`
}

// says is who may read, in the message's words.
func (m Meta) says() policy.Statement {
	return policy.Statement{Allow: acl.Grants(m.Allow...), States: m.States, Deny: acl.Grants(m.Deny...)}
}

// body is a message as JSON.
type body struct {
	Op        string     `json:"op"` // "put" (default) or "delete"
	ID        string     `json:"id"`
	Version   int64      `json:"version"`
	Title     string     `json:"title"`
	Text      *string    `json:"text"`    // the document, or
	Content   *[]byte    `json:"content"` // the document in base64
	MediaType string     `json:"media_type"`
	URL       string     `json:"url"`
	Updated   *time.Time `json:"updated"`
	Language  string     `json:"language"`
	Class     string     `json:"class"`
	Tags      []string   `json:"tags"`
	ACL       *struct {
		Allow *[]string `json:"allow"`
		Deny  []string  `json:"deny"`
	} `json:"acl"`
}

// Parse reads a message:
//
//	{"id": "tickets/4711", "version": 3, "title": "Printer", "text": "…", "acl": {"allow": ["group:it"]}}
//	{"op": "delete", "id": "tickets/4711", "version": 4}
//
// Fields that are not known, that are there twice, or null are errors: nobody must
// be able to read a message in two ways, or lose readers to a spelling mistake.
// With an error, what could be read of ID and Version is returned.
func Parse(data []byte) (Message, error) {
	if err := unambiguous(data); err != nil {
		return Message{}, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	var b body
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(&b)
	m := Message{ID: b.ID, Version: b.Version}
	if err == nil {
		err = b.fill(&m)
	}
	if err != nil {
		return Message{ID: m.ID, Version: m.Version}, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	return m, nil
}

// longest bounds each of the short fields in bytes.
const longest = 4096

func (b body) fill(m *Message) error {
	if err := item.CheckPath(b.ID); err != nil {
		return fmt.Errorf("id: %w", err)
	}
	if b.Version < 1 {
		return errors.New("version: want a number of 1 or more, which grows with each change of the document")
	}
	switch b.Op {
	case "delete":
		if only := (body{Op: b.Op, ID: b.ID, Version: b.Version}); !b.same(only) {
			return errors.New("a deletion has an id and a version, and nothing else")
		}
		m.Delete = true
		return nil
	case "", "put":
		return b.put(m)
	}
	return errors.New(`op: want "put" or "delete"`)
}

func (b body) same(c body) bool {
	x, errX := json.Marshal(b)
	y, errY := json.Marshal(c)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

func (b body) put(m *Message) error {
	switch {
	case (b.Text == nil) == (b.Content == nil):
		return errors.New("want text, or content in base64")
	case b.Text != nil:
		m.Data = []byte(*b.Text)
	default:
		m.Data = *b.Content
	}
	m.Meta = Meta{Title: b.Title, URL: b.URL, MediaType: b.MediaType, Language: b.Language, Class: b.Class, Tags: b.Tags}
	if b.Updated != nil {
		m.Updated = b.Updated.UTC()
	}
	for _, s := range append([]string{b.Title, b.URL, b.MediaType, b.Language, b.Class}, b.Tags...) {
		if len(s) > longest || strings.ContainsFunc(s, unicode.IsControl) {
			return fmt.Errorf("a field besides the text has control characters or more than %d bytes", longest)
		}
	}
	if len(b.Tags) > 100 {
		return errors.New("there are more than 100 tags")
	}
	if err := checkURL(b.URL); err != nil {
		return err
	}
	return b.readers(m)
}

func (b body) readers(m *Message) (err error) {
	if b.ACL == nil {
		return nil
	}
	if b.ACL.Allow != nil {
		m.States = true
		if m.Allow, err = item.Named(*b.ACL.Allow, ""); err != nil {
			return fmt.Errorf("acl.allow: %w", err)
		}
	}
	if m.Deny, err = item.Named(b.ACL.Deny, ""); err != nil {
		return fmt.Errorf("acl.deny: %w", err)
	}
	return nil
}

func checkURL(text string) error {
	if text == "" {
		return nil
	}
	if u, err := url.Parse(text); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return errors.New("url: want https://… or http://…")
	}
	return nil
}

// deepest bounds how values lie in each other; a message needs three levels.
const deepest = 4

// unambiguous refuses what two readers could read differently: more than one
// value, bytes that are not UTF-8, names that are there twice (in any case of their letters),
// and null.
func unambiguous(data []byte) error {
	if !utf8.Valid(data) {
		return errors.New("it is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.New("want a JSON object")
	}
	if err := object(d, 1); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is something after the JSON object")
	}
	return nil
}

func object(d *json.Decoder, depth int) error {
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return errors.New("it is no JSON")
		}
		name, _ := t.(string)
		if name != strings.ToLower(name) {
			return errors.New("names of fields are in small letters")
		}
		if seen[name] {
			return errors.New("a field is there twice")
		}
		seen[name] = true
		if err := value(d, depth); err != nil {
			return err
		}
	}
	return end(d)
}

func value(d *json.Decoder, depth int) error {
	t, err := d.Token()
	if err != nil {
		return errors.New("it is no JSON")
	}
	switch t {
	case nil:
		return errors.New("a value is null: leave the field out")
	case json.Delim('{'), json.Delim('['):
		if depth == deepest {
			return fmt.Errorf("values lie in each other more than %d deep", deepest)
		}
	}
	switch t {
	case json.Delim('{'):
		return object(d, depth+1)
	case json.Delim('['):
		for d.More() {
			if err := value(d, depth+1); err != nil {
				return err
			}
		}
		return end(d)
	}
	return nil
}

func end(d *json.Decoder) error {
	if _, err := d.Token(); err != nil {
		return errors.New("it is no JSON")
	}
	return nil
}
