/*
 * window.js - which part of the archive the player has as a playlist.
 *
 * A week of it is hundreds of thousands of segments.  The player has a stretch
 * around where it is: far from the live edge an hour that has an end, near it a
 * list that grows at its end and is shortened at its beginning (playlist.js).
 */
import { HOUR, MINUTE, SECOND } from './time.js';

const BEHIND = 5 * MINUTE;
const AHEAD = 55 * MINUTE;

/** A stream of which nothing new has come for as long as that has stopped. */
const STOPPED = 90 * SECOND;

/**
 * Milliseconds since the newest there is: by our clock, which may be wrong, or,
 * where one has seen the archive grow, since then (grewAt).
 */
export const ageOf = (archive, grewAt, now) => grewAt === null ? now - archive.to : now - grewAt;

/** Whether a stream goes on. */
export const isLive = (archive, grewAt, now) => archive !== null && ageOf(archive, grewAt, now) < STOPPED;

const wholeMinute = (ms) => Math.floor(ms / MINUTE) * MINUTE;

/**
 * The window around a moment of an archive { from, to } that grows, or not:
 * { from, to }, with to null where it is live.
 */
export function windowAround(at, archive, grows) {
	const from = wholeMinute(Math.max(at - BEHIND, archive.from - MINUTE));
	const to = wholeMinute(at + AHEAD);

	if (to < archive.to)
		return { from, to };
	/* The server ends a list for good where no hole is at its end, or an hour behind it. */
	return grows ? { from, to: null } : { from, to: archive.to + 2 * HOUR };
}

/** Whether a player with such a window can show a moment. */
export function isInside(window, at) {
	return window !== null && at >= window.from && (window.to === null || at < window.to);
}

/** Where a live window should begin, for a player at a moment. */
export const liveFrom = (at) => wholeMinute(at - BEHIND);
