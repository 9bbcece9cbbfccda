package main

// target is code to change and what should notice.
type target struct {
	file      string
	functions []string
	tests     []tests
}

type tests struct {
	pkg  string
	args []string
}

// The tests of decisions run whole; those of the engine and the surface, which
// take longer, are their short form.
var (
	drawn    = []string{"-rapid.nofailfile"}
	short    = []string{"-short"}
	scripts  = tests{"./cmd/ken", []string{"-run", "Scripts/(acl|roles)|Overrides"}}
	ofLists  = []tests{{"./corpora/acl", drawn}, {"./corpora/policy", drawn}, {"./index/ingest", nil}, scripts}
	ofPolicy = []tests{{"./corpora/policy", drawn}, {"./corpora/source/folder", nil}, scripts}
	both     = []string{"-rapid.nofailfile", "-short"}
	ofStore  = []tests{{"./index/embedded", both}, {"./retrieval", both}, {"./tools/twin", short}}
	ofTools  = []tests{{"./tools", both}, {"./tools/twin", short}, scripts}
	ofView   = []tests{{"./retrieval", both}, {"./tools/twin", short}}
)

// targets is the code that decides who may read and who may do what.
var targets = []target{
	{"corpora/acl/list.go", []string{"inForce", "Admits", "holdsAny", "Boundary"}, ofLists},
	{"corpora/acl/clearance.go", []string{"below", "Classified", "holdsAll"}, ofLists},
	{"corpora/acl/both.go", []string{"covered", "covers"}, ofLists},
	{"corpora/acl/principal.go", []string{"NewPrincipal", "User"}, ofLists},
	{"corpora/acl/directory.go", []string{"Resolve", "Groups", "pathTo"}, ofLists},
	{"corpora/acl/subject.go", []string{"ParseSubject", "invisible"}, ofLists},
	{"corpora/acl/json.go", []string{"sameText"}, ofLists},
	{"corpora/acl/explain.go", []string{"Counts"}, ofLists},
	{"corpora/policy/statement.go", []string{"Combine", "checkGrant", "readSubject"}, ofPolicy},
	{"corpora/policy/override.go", []string{"Apply", "Grant"}, ofPolicy},
	{"corpora/policy/glob.go", []string{"wild", "matchSegment"}, ofPolicy},
	{"corpora/policy/roles.go", []string{"Use", "Covers", "has", "held"}, ofPolicy},
	{"corpora/policy/groups.go", []string{"knows", "checkRules"}, ofPolicy},
	{"index/embedded/readable.go", []string{"validAt", "newReadable", "newACLIndex", "readableFor"}, ofStore},
	{"index/embedded/view.go", []string{"gate", "mayRead", "refuse"}, ofStore},
	{"index/embedded/admitted.go", []string{"classAdmits"}, ofStore},
	{"retrieval/snapshot.go", []string{"hideSuccessor"}, ofView},
	{"tools/authority.go", []string{"authorise", "listed"}, ofTools},
	{"tools/approve.go", []string{"take", "approve", "askNow", "askNext"}, ofTools},
	{"tools/administer.go", []string{"carryOut", "mayOrder"}, ofTools},
	{"tools/audit.go", []string{"audited"}, ofTools},
	{"tools/receive.go", []string{"principal", "credential"}, ofTools},
	{"tools/sessions.go", []string{"owns"}, ofTools},
	{"tools/cursor.go", []string{"open"}, ofTools},
}

// equivalent are mutants that change nothing which can be seen, and why.
var equivalent = map[string]string{
	"corpora/acl/clearance.go below: <= in i < 0":                          "the lowest level alone is what stands below the lowest level",
	"index/embedded/view.go mayRead: >= in id > index.ChunkID(^uint32(0))": "the greatest ordinal is never given to a chunk",
	"index/embedded/admitted.go classAdmits: return true for false":        "it comes with an error, which its callers look at first",
	"index/embedded/admitted.go classAdmits: never: if known":              "the list is asked again and says the same",
	`retrieval/snapshot.go hideSuccessor: never: if d.SupersededBy == ""`:  "no document has the empty name, which is dropped as it is",
	"tools/authority.go listed: never: if !ok":                             "the protocol library answers with a list of tools or with an error, which is returned before",
	"tools/approve.go askNow: && in err != nil || answer == nil":           "an error comes without an answer",
}
