// Package evaldata finds the evaluation data for tests.
package evaldata
