package bounds

import "errors"

// Each of these is a reason that a person can act on. They are wrapped with what
// exactly was found.
var (
	// ErrUnsupported says that no extractor reads this kind of document.
	ErrUnsupported = errors.New("unsupported format")
	// ErrLimit says that a document is larger or deeper than is read.
	ErrLimit = errors.New("over the limit")
	// ErrLocked says that a document needs a password.
	ErrLocked = errors.New("protected by a password: save it without one")
	// ErrDamaged says that a document is cut off or not what it claims to be.
	ErrDamaged = errors.New("damaged or cut off: replace the file")
	// ErrScanned says that a document has pages and no text on them.
	ErrScanned = errors.New("needs OCR: its pages are pictures without text; run it through text recognition first")
)
