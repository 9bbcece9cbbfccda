// Package protect takes values out of documents before anything is stored: mail
// addresses, card numbers, the column "salary".
//
//	source ─ guard.Source ─────> names, titles, tags ┐
//	extract ─ guard.Extractor ─────> text ───────────┴─> chunks, vectors, index, answers
//
// A [Rule] says what to look for and what to put in its place:
//
//	redact    [email removed]                the value is gone
//	tokenise  email_4tq3…                    equal values have equal tokens (HMAC-SHA256), so
//	                                         that documents can still be brought together
//	encrypt   enc_email_k5xw…                whoever has the key can read it again (AES-256-GCM)
//
// All three are functions of the value and the key, so that a document that did
// not change is not embedded again. Rules, in .ken/acl.yaml of a folder or in
// protect.yaml of the data directory:
//
//	protect:
//	  - find: email               # email, phone, card, iban, ssn
//	    do: tokenise
//	    class: confidential       # the least class of a document that has one
//	  - name: staff-number        # whatever else an organisation numbers people with
//	    pattern: "P-[0-9]{6}"
//	    do: redact
//	  - field: [salary, date of birth]
//	    do: encrypt
//
// Where several rules match the same characters, the first counts. Patterns are RE2,
// whose time is linear in the text.
package protect
