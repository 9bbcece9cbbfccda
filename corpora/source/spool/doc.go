// Package spool keeps the newest version of each document that was pushed to ken.
//
//	webhook, NATS, Kafka ─ Parse ─ Spool.Apply ─ fsync ─ acknowledged
//	                                   │
//	                         Source: a listing like any other ─ ken ingest
//
// A pushed document cannot be asked for again, so it is durable before its sender
// hears of success. Messages may come twice and in any order: what is kept of an
// id is a function of the set of its messages, since a version only ever gives way
// to a greater one, and a deletion is a version too.
//
// There is one file per id, replaced in one step, with what is known of the
// document in its first line. Files have the mode 0600 and hold what was pushed as
// it was pushed, before any protection rule.
package spool
