package eval

import (
	"strings"
	"testing"
	"testing/fstest"

	"ken/corpora"
)

const twoPages = `{"_id":"leave","title":"Leave","text":"Every parent gets 18 weeks of leave."}
{"_id":"tea","title":"Tea","text":"Tea is at four, in the kitchen."}
`

func csvSet(table string) (Set, error) {
	return LoadFS(fstest.MapFS{"corpus.jsonl": {Data: []byte(twoPages)}, "questions.csv": {Data: []byte(table)}}, "table")
}

func TestCSV(t *testing.T) {
	for name, table := range map[string]string{
		"commas":     "question,answer,document,id\n\"How much leave, in weeks?\",18 weeks | eighteen,leave,q1\nWhen is tea?,at four,,\nWho is king?,,,\n",
		"semicolons": "\ufeffid;Question;Answer;Document\r\nq1;How much leave, in weeks?;18 weeks|eighteen;leave\r\n;When is tea?;at four;\r\n;Who is king?;;\r\n",
		"tabs":       "question\tid\tdocument\tanswer\nHow much leave, in weeks?\tq1\tleave\t18 weeks|eighteen\nWhen is tea?\t\t\tat four\nWho is king?\t\t\t\n",
	} {
		set, err := csvSet(table)
		if err != nil || len(set.Queries) != 3 {
			t.Fatalf("%s: %+v, error %v", name, set.Queries, err)
		}
		leave, tea, king := set.Queries[0], set.Queries[1], set.Queries[2]
		if leave.ID != "q1" || leave.Text != "How much leave, in weeks?" || strings.Join(leave.Answers, "/") != "18 weeks/eighteen" || leave.Relevant["leave"] != 1 || !leave.Answerable || !leave.Known {
			t.Errorf("%s: %+v", name, leave)
		}
		if tea.ID != "2" || !tea.Answerable || len(tea.Relevant) != 0 || !king.Known || king.Answerable {
			t.Errorf("%s: %+v, %+v", name, tea, king)
		}
	}
}

// Without a column of documents, a question can be answered by whoever may read
// a document that holds the answer.
func TestAnswerableWithoutDocuments(t *testing.T) {
	docs := map[corpora.DocID]original{"leave": {text: "18  Weeks of leave"}, "tea": {text: "at four"}}
	q := Query{Gold: Gold{Answers: []string{"18 weeks"}, Known: true, Answerable: true}}
	for readable, want := range map[corpora.DocID]bool{"leave": true, "tea": false} {
		s := &scope{truth: &truth{docs: docs}, readable: map[corpora.DocID]bool{readable: true}}
		if got := s.answerable(q.Gold, q); got != want {
			t.Errorf("who reads %s: %v, want %v", readable, got, want)
		}
	}
}

func TestBadCSV(t *testing.T) {
	for table, want := range map[string]string{
		"":                               "questions.csv",
		"answer\n18":                     "no column question",
		"question,question\na,b":         "twice",
		"question,grade\na,1":            `column "grade"`,
		"question,answer\nx,1\n,2\n":     "questions.csv:3: no question",
		"question,id\nx,1\ny,1\n":        "questions.csv:3: id \"1\" stands there twice",
		"question,document\nx,nowhere\n": `no document "nowhere"`,
		"question,answer\nx\n":           "questions.csv:2",
		"question\n\xff\n":               "UTF-8",
	} {
		if set, err := csvSet(table); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, error %v; want %q", table, set.Queries, err, want)
		}
	}
}

func FuzzCSV(f *testing.F) {
	f.Add("question,answer\nx,1\n")
	f.Add("id;question\n1;\"x\n")
	f.Fuzz(func(t *testing.T, table string) {
		set, err := csvSet(table)
		if err != nil {
			return
		}
		for _, q := range set.Queries {
			if q.Text == "" || q.ID == "" || q.Answerable != (len(q.Answers) > 0) {
				t.Errorf("%+v", q)
			}
		}
	})
}
