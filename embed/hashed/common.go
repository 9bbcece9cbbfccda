package hashed

import "strings"

// commonWords are function words of English, German, French, Spanish, Italian,
// Portuguese and Dutch, folded and sorted. They are part of the algorithm's
// version: another list is another model.
const commonWords = `
a aan aber about after again against al all alla als also an anche and any ao are as at auch
auf aus aux avec be because been before bei being between bij bis both but by can ce cette che
com como con could dans das dass dei del della delle dem den der des desde deze di did die do
does dos du durch during each een ein eine einem einen einer el elle er es est esta este et ete
few first foi for from fue fur gli haben had has hat have he her here het him his how however i
if il im in into is ist it its just la las le les leur like lo los mais many mas might mit more
most much must muy my naar nach nao nel never nicht niet no noch non not nous now nur oder of
on one only ont ook or os other ou our out over own par para pas pelo people per pero piu plus
por pour que questo qui ser ses seu she should sich sie since sind so some son sono sont sua
such sur sus than that the their them then there these they this those through to too two uber
um uma una und under une unos up upon van very von voor vor vous we well wenn werd werden what
when where whether which who why wie will wird with without wordt would wurde you your zijn zu
zum zur
`

// common returns the hashes of the words that say what a sentence is built
// with and not what it is about.
func common() map[uint64]bool {
	set := make(map[uint64]bool)
	for word := range strings.FieldsSeq(commonWords) {
		set[hash(seedWord, []byte(word))] = true
	}
	return set
}
