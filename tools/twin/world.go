package twin

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
)

// Names are chosen to be mistaken for one another: by case, by prefix, by the
// form of an accent.
var (
	users  = []acl.Subject{"user:ann", "user:Ann", "user:zo\u00eb", "user:zoe\u0308", "user:bob", "user:bobby"}
	groups = []acl.Subject{"group:hr", "group:hr2", "group:HR", "group:it", "group:ann", "group:staff"}

	sources = []string{"wiki", "mail", "hr"}
	classes = []string{"", "public", "internal", "restricted"}
	labels  = []string{"leave", "people", "pay", "plan"}
)

// words per language; few, so that documents share them.
var words = map[string][]string{
	"en": strings.Fields("parental leave policy weeks salary severance server runs guide manager project otter budget review travel office quarter secret merger team holiday"),
	"de": strings.Fields("Urlaub Eltern Gehalt Regelung Wochen Server Anleitung Projekt Prüfung Reise Büro Quartal geheim Fusion"),
	"zh": strings.Fields("育儿假 政策 服务器 工资 合并 指南"),
}

// document is a document with all that its entry is made from.
type document struct {
	corpora.Document
	text  string
	noise uint64 // if not 0, the vectors are drawn from it and not from the text
}

// world is everything that is drawn. Two worlds of one seed are equal.
type world struct {
	rng    *rand.Rand
	now    time.Time
	docs   []document // of the server that has all, in order of creation
	gone   []corpora.DocID
	past   map[corpora.DocID][]document // the versions that a document had, the oldest first; with their lists when they were replaced
	number int                          // of the document that is made next
	ops    []document                   // that stewards administer; on both servers, and in no other list
	asking bool                         // others ask: they change nothing
}

func newWorld(seed uint64) *world {
	w := &world{past: map[corpora.DocID][]document{}, rng: rand.New(rand.NewPCG(seed, 22)), now: time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)}
	sizes := []int{3, 12, 30, 30, 60, 130}
	for range sizes[w.rng.IntN(len(sizes))] {
		w.docs = append(w.docs, w.newDocument(w.newList()))
	}
	w.ops = w.operations()
	return w
}

func pick[T any](w *world, from []T) T { return from[w.rng.IntN(len(from))] }

// chance is true in one of n cases.
func (w *world) chance(n int) bool { return w.rng.IntN(n) == 0 }

func (w *world) newDocument(l acl.List) document {
	w.number++
	language := pick(w, []string{"en", "en", "en", "de", "zh"})
	d := document{Document: corpora.Document{
		Source: pick(w, sources), MediaType: pick(w, []string{"text/markdown", "text/plain"}), Language: language,
		Class: pick(w, classes), Status: pick(w, []corpora.Status{"", "", corpora.Draft, corpora.Superseded}),
		Title: w.phrase(language, 3), Tags: []string{pick(w, labels)}, ACL: l,
		Modified: w.now.AddDate(0, 0, -w.rng.IntN(400)),
	}}
	d.Path = fmt.Sprintf("%s/%03d.md", pick(w, labels), w.number)
	d.ID = corpora.DocID(d.Source + "/" + d.Path)
	w.write(&d)
	if len(w.docs) > 0 && w.chance(5) { // a near-duplicate of another, often of another class
		d.text = pick(w, w.docs).text
	}
	d.Version = version(d)
	return d
}

// write gives the document a new text. One word of it stands nowhere else.
func (w *world) write(d *document) {
	var b strings.Builder
	for i := range 1 + w.rng.IntN(3) {
		if d.MediaType == "text/markdown" {
			fmt.Fprintf(&b, "## %s\n\n", w.phrase(d.Language, 2))
		}
		fmt.Fprintf(&b, "%s. %s %s.\n\n", w.phrase(d.Language, 12), rare(w.number, i), w.phrase(d.Language, 9))
	}
	d.text = b.String()
	d.Version = version(*d)
}

// Versions is how many earlier versions the stores have to keep; none is right, too,
// and compares less.
const Versions = 3

// remember notes the document as it is, before it gets another text.
func (w *world) remember(d document) {
	past := append(w.past[d.ID], d)
	w.past[d.ID] = past[max(len(past)-Versions, 0):]
}

func rare(number, i int) string { return fmt.Sprintf("zq%03dx%d", number, i) }

func (w *world) phrase(language string, n int) string {
	out := make([]string, 1+w.rng.IntN(n))
	for i := range out {
		out[i] = pick(w, words[language])
	}
	return strings.Join(out, " ")
}

func version(d document) string {
	sum := sha256.Sum256([]byte(d.Title + "\x00" + d.text))
	return hex.EncodeToString(sum[:16])
}

func (w *world) subject() acl.Subject {
	switch w.rng.IntN(8) {
	case 0:
		return acl.Everyone
	case 1:
		return acl.Authenticated
	case 2, 3:
		return pick(w, users)
	}
	return pick(w, groups)
}

// grant is now and then limited to hours near the world's.
func (w *world) grant() acl.Grant {
	g := acl.Grant{Subject: w.subject()}
	if w.chance(4) {
		g.NotBefore = w.now.Add(time.Duration(w.rng.IntN(5)-3) * time.Hour)
	}
	if w.chance(4) {
		g.NotAfter = w.now.Add(time.Duration(w.rng.IntN(6)-1) * time.Hour)
	}
	return g
}

func (w *world) newList() acl.List {
	var allow, deny []acl.Grant
	for range w.rng.IntN(4) {
		allow = append(allow, w.grant())
	}
	if w.chance(4) {
		deny = append(deny, w.grant())
	}
	return acl.NewList(allow, deny)
}

// closedTo draws a list that does not admit p now.
func (w *world) closedTo(p acl.Principal) acl.List {
	for range 20 {
		if l := w.newList(); !l.Admits(p, w.now) {
			return l
		}
	}
	return acl.NewList(nil, acl.Grants(p.Subjects()...))
}

// openTo draws a list that admits p now.
func (w *world) openTo(p acl.Principal) acl.List {
	return acl.NewList(acl.Grants(pick(w, p.Subjects())), nil)
}

func (w *world) person() acl.Principal {
	if w.chance(8) {
		return acl.NewPrincipal()
	}
	subjects := []acl.Subject{pick(w, users)}
	for range w.rng.IntN(4) {
		subjects = append(subjects, pick(w, groups))
	}
	return acl.NewPrincipal(subjects...)
}

// split returns the indexes of the documents that p may read now, and of the others.
func (w *world) split(p acl.Principal) (readable, hidden []int) {
	for i, d := range w.docs {
		if d.ACL.Admits(p, w.now) {
			readable = append(readable, i)
		} else {
			hidden = append(hidden, i)
		}
	}
	return readable, hidden
}
