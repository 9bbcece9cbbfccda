package hashed_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ken/embed"
	"ken/embed/embedtest"
	"ken/embed/hashed"
)

func TestConformance(t *testing.T) {
	for _, dim := range []int{0, hashed.MinDim, hashed.MaxDim} {
		t.Run(fmt.Sprintf("dim %d", dim), func(t *testing.T) {
			embedtest.Run(t, func(t *testing.T) embed.Embedder { return open(t, dim) }, embedtest.Options{})
		})
	}
}

func TestModel(t *testing.T) {
	m := open(t, 0).Model()
	if m.Name != "hashed-384" || m.Dim != 384 || m.Fuse != hashed.Fuse {
		t.Errorf("default model %+v", m)
	}
	if other := open(t, 512).Model(); other.Hash == m.Hash {
		t.Error("two dimensions share a hash")
	}
}

func TestOptions(t *testing.T) {
	for _, dim := range []int{-1, 1, hashed.MinDim - 1, hashed.MaxDim + 1, math.MaxInt} {
		if _, err := hashed.New(hashed.Options{Dim: dim}); !errors.Is(err, hashed.ErrOptions) {
			t.Errorf("dimension %d: error %v, want ErrOptions", dim, err)
		}
	}
}

// A change of any vector must change the model's hash too, or stores would
// compare vectors that do not belong together. If this test fails, raise the
// version in hashed.go and write the two new digests here.
func TestVectorsArePinnedToTheModelHash(t *testing.T) {
	const (
		wantModel   = "6c07fcecd5778d2f3f2ebbc3307e2142"
		wantVectors = "50b9fed30ef1348c"
	)
	h := sha256.New()
	for _, v := range vectors(t, open(t, 0), pinned...) {
		binary.Write(h, binary.LittleEndian, []float32(v))
	}
	gotModel, gotVectors := open(t, 0).Model().Hash, hex.EncodeToString(h.Sum(nil)[:8])
	if gotModel != wantModel || gotVectors != wantVectors {
		t.Errorf("model %s, vectors %s; want %s, %s", gotModel, gotVectors, wantModel, wantVectors)
	}
}

var pinned = []string{
	"", "leave", "Parental leave: 12 weeks, paid. Ask HR!", "Straßenbahn, café, Ærø, Łódź, İstanbul",
	"员工可以休多少天产假", "データベース", "ลาคลอดได้กี่วัน", "육아 휴직은 며칠입니까", "отпуск по уходу", "a\xffb",
	strings.Repeat("the quick brown fox ", 100),
}

func TestTextsWithoutWordsShareTheFirstUnitVector(t *testing.T) {
	for _, text := range []string{"", " \n", "?!", "—", "\xff\xfe", "👍"} {
		v := vectors(t, open(t, 0), text)[0]
		if v[0] != 1 {
			t.Errorf("%q: first component %v, want 1", text, v[0])
		}
	}
}

func TestFolding(t *testing.T) {
	for _, test := range []struct{ name, a, b string }{
		{"case", "Parental LEAVE", "parental leave"},
		{"order and punctuation", "leave, parental!", "parental leave"},
		{"accents", "café crème", "cafe creme"},
		{"composed and decomposed", "caf\u00e9", "cafe\u0301"},
		{"compatibility forms", "ﬁle ＡＢＣ", "file abc"},
		{"sharp s", "Straße", "STRASSE"},
		{"dotless i", "kapı", "kapi"},
		{"Cyrillic case", "ОТПУСК", "отпуск"},
		{"composed and decomposed Hangul", "휴직", "휴직"},
		{"invalid bytes separate", "sick\xffleave", "sick leave"},
	} {
		v := vectors(t, open(t, 0), test.a, test.b)
		if c := cosine(v[0], v[1]); c < .999999 {
			t.Errorf("%s: cosine of %q and %q is %v, want 1", test.name, test.a, test.b, c)
		}
	}
}

func TestNearer(t *testing.T) {
	for _, test := range []struct{ name, query, near, far string }{
		{"inflection", "holiday", "holidays", "invoice"},
		{"compound", "Urlaub", "Urlaubsantrag", "Rechnung"},
		{"function words do not decide", "what is the parental leave", "parental leave policy", "what is the fire drill"},
		{"Chinese", "产假多少天", "员工可以休产假", "发票付款"},
		{"Japanese", "データベースの復元", "データベースを復元する手順", "会議の議事録"},
		{"Thai", "ลาคลอด", "ลาคลอดได้กี่วัน", "ใบแจ้งหนี้"},
		{"Korean particles", "휴직은", "휴직이", "송장을"},
		{"Russian cases", "отпуском", "отпуска", "счёт"},
		{"Arabic prefix", "الإجازة", "إجازة", "فاتورة"},
	} {
		v := vectors(t, open(t, 0), test.query, test.near, test.far)
		near, far := cosine(v[0], v[1]), cosine(v[0], v[2])
		if near < far+.1 {
			t.Errorf("%s: cosine %.2f to %q, %.2f to %q; want the first higher by .1", test.name, near, test.near, far, test.far)
		}
	}
}

func TestAnyBytesGiveAUnitVector(t *testing.T) {
	e := open(t, hashed.MinDim)
	rapid.Check(t, func(t *rapid.T) {
		text := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) + rapid.String().Draw(t, "runes")
		vs, err := e.Embed(t.Context(), embed.Query, []string{text})
		if err != nil {
			t.Fatal(err)
		}
		if err := embed.Check(vs, 1, hashed.MinDim); err != nil {
			t.Fatal(err)
		}
		if c := cosine(vs[0], vs[0]); math.Abs(c-1) > 1e-5 {
			t.Fatalf("squared length %v", c)
		}
	})
}

func FuzzEmbed(f *testing.F) {
	for _, text := range pinned {
		f.Add(text)
	}
	e, err := hashed.New(hashed.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		vs := vectors(t, e, text, text)
		if c := cosine(vs[0], vs[1]); math.Abs(c-1) > 1e-5 {
			t.Fatalf("cosine of %q with itself is %v", text, c)
		}
	})
}

func open(t testing.TB, dim int) *hashed.Embedder {
	t.Helper()
	e, err := hashed.New(hashed.Options{Dim: dim})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func vectors(t testing.TB, e *hashed.Embedder, texts ...string) []embed.Vector {
	t.Helper()
	vs, err := e.Embed(t.Context(), embed.Passage, texts)
	if err != nil {
		t.Fatal(err)
	}
	return vs
}

func cosine(a, b embed.Vector) float64 {
	var sum float64
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}
