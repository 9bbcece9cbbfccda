// Package strictyaml reads small YAML files and says, for everything that is
// wrong in them, at which line and column.
//
// It gives a tree of [Node] instead of filling structs, because a file that
// grants access must be refused when a key is misspelled, and the person who
// wrote it must be told where. Anchors, aliases, tags and merge keys are
// refused where a value is read: nothing is ever expanded, so a file costs what
// its bytes cost. Size, nesting and number of keys are bounded before the
// parser runs, which is quadratic in the last two.
package strictyaml
