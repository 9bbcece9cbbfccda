// Package mail reads messages (RFC 5322, MIME) and mailboxes (mbox) into Markdown:
// the subject as heading, who wrote to whom and when, the text, and each
// attachment as a section that its own format's extractor wrote.
//
// Of alternatives the plain text counts, or the HTML where there is none. What
// senders hide in headers that no program shows is left out.
package mail
