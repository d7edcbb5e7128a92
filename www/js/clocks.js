/*
 * clocks.js - where the source's clock leaps though nothing is missing.
 *
 * An encoder that begins anew at once leaves no hole, so that the server's list,
 * which is made of names alone, has no discontinuity there.  A player would put
 * what follows where its time stamps say: over other pictures, or nowhere.  Time
 * stamps are known when a segment is loaded: where they contradict the moments
 * of the list, a discontinuity is to be written into it, and it is to be read
 * again.
 */
import { withBreaks } from './playlist.js';

const WRAP = 2 ** 33 / 90000; /* s: MPEG-TS counts on from 0 */
const OFF = 1; /* s by which the name of a segment may be off, */
const DRIFT = 0.01; /* and in proportion to what is between two */
const KEPT = 1024; /* segments that were loaded last */

/** Seconds by which b's clock is ahead of a's: { date, time }, ms of the list and seconds of the source. */
function leap(a, b) {
	const ahead = (b.time - a.time) - (b.date - a.date) / 1000;

	return ahead - Math.round(ahead / WRAP) * WRAP;
}

export function createClocks() {
	const breaks = new Set(); /* URIs of the first segments of another clock */
	let segments = []; /* { sn, cc, uri, date, time } */

	return {
		/** There is another list: its numbers are others, the leaps are not. */
		begin() {
			segments = [];
		},

		/**
		 * A segment was loaded: hls.js' fragment, its moment, and the source's time
		 * at its first picture.  True where mark() has another discontinuity now.
		 */
		note({ sn, cc, relurl }, date, time) {
			const segment = { sn, cc, uri: relurl, date, time };
			const run = segments.filter((one) => one.cc === cc && one.sn !== sn);
			const distance = (one) => Math.abs(one.sn - sn);
			const nearest = run.reduce((a, b) => a && distance(a) <= distance(b) ? a : b, null);
			const later = nearest?.sn > sn ? nearest : segment;

			segments = [...segments.filter((one) => one.sn !== sn), segment].slice(-KEPT);
			if (!nearest || breaks.has(later.uri))
				return false;
			if (Math.abs(leap(nearest, segment)) <= OFF + DRIFT * Math.abs(date - nearest.date) / 1000)
				return false;
			breaks.add(later.uri);
			return true;
		},

		/** A list with a discontinuity before each segment that has another clock than the one before. */
		mark: (text) => withBreaks(text, breaks),
	};
}
