package eval

// LowerIsBetter reports whether a metric counts what should not be.
func LowerIsBetter(metric string) bool { return metric == "superseded_error" }

// Label names a question for people: its id, and who asks.
func (o Outcome) Label() string {
	if o.Persona == "" {
		return o.Query
	}
	return o.Query + " as " + o.Persona
}
