// Package report writes the result of a suite for people and for CI: JUnit XML,
// Markdown for a pull request, and one HTML file that needs nothing else.
package report
