// Package config reads what the user configured: environment, the platform's
// places, and the settings kept in a data directory. No other package of ken
// reads an environment variable or a settings file.
package config
