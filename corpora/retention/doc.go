// Package retention says how long documents are kept, by data class and by source,
// counted from when their content last changed.
//
//	version: 1
//	rules:                       # the first rule that matches decides; without one a document is kept
//	  - {class: restricted, keep: 365d}
//	  - {source: chat, keep: 30d}
//	  - {class: internal, source: wiki, keep: forever}
package retention
