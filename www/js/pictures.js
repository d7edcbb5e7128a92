/*
 * pictures.js - when each picture is shown, of what the player has loaded.
 *
 * A segment is MPEG-TS, whose packets tell when each picture is shown; hls.js
 * makes a fragment of MP4 out of it, whose header tells when the player shows
 * it.  Mostly that is the same, but where a segment follows a hole hls.js shows
 * its first picture earlier.  From both, and the moment that the playlist gives
 * each segment, follows the exact moment of a picture, and which one is next: no
 * rate of pictures is assumed.
 *
 * The moment of a segment is that of its first picture in order of showing, as
 * it is for the server's cuts.
 */

const TICKS = 90000; /* a second, in MPEG-TS, and in MP4 as hls.js makes it */
const WRAP = 2 ** 33;
const PACKET = 188;
const KEPT = 4096; /* segments, if the player never drops any */

/* The boxes of a stretch of MP4: [type, start of content, end]. */
function* boxes(view, from, to) {
	while (from + 8 <= to) {
		const size = view.getUint32(from);

		if (size < 8 || from + size > to)
			return;
		yield [view.getUint32(from + 4), from + 8, from + size];
		from += size;
	}
}

const MOOF = 0x6d6f6f66;
const TRAF = 0x74726166;
const TFDT = 0x74666474;
const TRUN = 0x7472756e;

function* find(view, from, to, type) {
	for (const [found, start, end] of boxes(view, from, to))
		if (found === type)
			yield [start, end];
}

function decodeTime(view, start) {
	return view.getUint8(start) === 1
		? view.getUint32(start + 4) * 2 ** 32 + view.getUint32(start + 8) : view.getUint32(start + 4);
}

/* Adds the times of one run of samples, in ticks; returns where the next one begins. */
function addRun(view, start, end, from, times) {
	const flags = view.getUint32(start) & 0xffffff;
	const count = view.getUint32(start + 4);
	const fields = [0x100, 0x200, 0x400, 0x800].map((bit) => flags & bit ? 4 : 0);
	const stride = fields.reduce((a, b) => a + b);
	const first = start + 8 + (flags & 1 ? 4 : 0) + (flags & 4 ? 4 : 0);

	if (!fields[0] || first + count * stride > end)
		return from;
	for (let i = 0; i < count; i++) {
		const at = first + i * stride;
		const offset = fields[3] ? view.getInt32(at + stride - 4) : 0;

		times.push(from + offset);
		from += view.getUint32(at);
	}
	return from;
}

/**
 * Times, in seconds, of the pictures in a fragment of MP4 (a Uint8Array), in
 * order of showing; empty where it holds none.
 */
export function pictureTimes(bytes) {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const ticks = [];

	for (const [moof, moofEnd] of find(view, 0, view.byteLength, MOOF))
		for (const [traf, trafEnd] of find(view, moof, moofEnd, TRAF)) {
			let from = 0;

			for (const [tfdt] of find(view, traf, trafEnd, TFDT))
				from = decodeTime(view, tfdt);
			for (const [trun, trunEnd] of find(view, traf, trafEnd, TRUN))
				from = addRun(view, trun, trunEnd, from, ticks);
		}
	return Float64Array.from(ticks, (tick) => tick / TICKS).sort();
}

/* The PTS of a packet in which a picture begins, or null. */
function packetPts(bytes, at) {
	const hasPayload = bytes[at + 3] & 0x10;
	const start = at + 4 + (bytes[at + 3] & 0x20 ? bytes[at + 4] + 1 : 0);

	if (bytes[at] !== 0x47 || !(bytes[at + 1] & 0x40) || !hasPayload || start + 14 > at + PACKET)
		return null;
	const isVideo = !bytes[start] && !bytes[start + 1] && bytes[start + 2] === 1 && (bytes[start + 3] & 0xf0) === 0xe0;

	if (!isVideo || !(bytes[start + 7] & 0x80))
		return null;
	const [a, b, c, d, e] = bytes.subarray(start + 9, start + 14);

	return (a & 0x0e) * 2 ** 29 + b * 2 ** 22 + (c & 0xfe) * 2 ** 14 + d * 2 ** 7 + (e >> 1);
}

/** Seconds of the source's clock at each picture of a segment (MPEG-TS, a Uint8Array), in order of showing. */
export function sourceTimes(bytes) {
	const ticks = [];

	for (let at = 0; at + PACKET <= bytes.length; at += PACKET) {
		const pts = packetPts(bytes, at);

		/* Around the wrap: as near to the first as can be. */
		if (pts !== null)
			ticks.push(ticks.length ? pts - Math.round((pts - ticks[0]) / WRAP) * WRAP : pts);
	}
	return Float64Array.from(ticks, (tick) => tick / TICKS).sort();
}

/** Milliseconds of a playlist's date, with the fraction of one that Date drops. */
export function exactDate(text) {
	const fraction = /\.\d{3}(\d+)/.exec(text);

	return Date.parse(text) + (fraction ? Number(`0.${fraction[1]}`) : 0);
}

/* A picture is found by its time though it was rounded on its way. */
const NEAR = 0.0005;

/** The last index with times[i] <= t, or -1. */
export function lastAtOrBefore(times, t) {
	let low = 0;
	let high = times.length;

	while (low < high) {
		const middle = (low + high) >> 1;

		if (times[middle] <= t)
			low = middle + 1;
		else
			high = middle;
	}
	return low - 1;
}

/**
 * The pictures of the segments that the player has.  Times are seconds of the
 * player's clock; segments are known by a key (hls.js: sn), in their order.
 */
export function createPictures() {
	const segments = new Map(); /* key: { key, date, times, places }, oldest first */
	let order = []; /* by times[0], which are in starts */
	let starts = [];

	function sort() {
		order = [...segments.values()].sort((a, b) => a.times[0] - b.times[0]);
		starts = order.map((segment) => segment.times[0]);
	}

	/* The segment whose pictures are around t; null where none of them is loaded. */
	function around(t) {
		const place = lastAtOrBefore(starts, t + NEAR);
		const segment = order[place];

		if (!segment)
			return null;
		/* Behind the last picture, for as long as pictures last, is still it. */
		const times = segment.times;
		const length = times.length > 1 ? times.at(-1) - times.at(-2) : 0.1;

		return t <= times.at(-1) + Math.max(length, 0.1) + NEAR ? { segment, place } : null;
	}

	/* What is put over others takes their place in the player. */
	function cover(from, to) {
		for (const segment of segments.values()) {
			const { times, places } = segment;

			if (times.at(-1) < from || times[0] > to)
				continue;
			segment.times = times.filter((time) => time < from || time > to);
			segment.places = places.filter((_, i) => times[i] < from || times[i] > to);
			if (!segment.times.length)
				segments.delete(segment.key);
		}
	}

	return {
		/**
		 * date: the segment's moment; times of pictureTimes(), source of
		 * sourceTimes().  Where the player drops pictures, it drops the first.
		 */
		put(key, date, times, source) {
			if (!times.length)
				return;
			const places = source.map((time) => time - source[0]);
			const more = places.length - times.length;

			segments.delete(key);
			cover(times[0] - NEAR, times.at(-1) + NEAR);
			segments.set(key, { key, date, times, places: more < 0 ? times.map((time) => time - times[0]) : places.subarray(more) });
			if (segments.size > KEPT)
				segments.delete(segments.keys().next().value);
			sort();
		},

		clear() {
			segments.clear();
			sort();
		},

		/** The player has dropped some: isThere(key, time) says what it has, or is about to have. */
		prune(isThere) {
			for (const { key, times } of order)
				if (!isThere(key, times[0]) && !isThere(key, times.at(-1)))
					segments.delete(key);
			sort();
		},

		/** The picture that is shown at t: { key, time, moment, length }, or null. length: milliseconds until the next one. */
		at(t) {
			const found = around(t);

			if (!found)
				return null;
			const { key, date, times, places } = found.segment;
			const i = Math.max(0, lastAtOrBefore(times, t + NEAR));
			const next = times[i + 1];

			return {
				key,
				time: times[i],
				moment: date + places[i] * 1000,
				length: next !== undefined ? (places[i + 1] - places[i]) * 1000 : i ? (places[i] - places[i - 1]) * 1000 : null,
			};
		},

		/** The time of the picture n places from the one at t (n may be negative); null where it is not loaded. */
		step(t, n) {
			const found = around(t);

			if (!found)
				return null;
			let place = found.place;
			let i = lastAtOrBefore(order[place].times, t + NEAR) + n;

			while (i < 0 && place > 0 && order[place - 1].key === order[place].key - 1)
				i += order[--place].times.length;
			while (i >= order[place].times.length && place + 1 < order.length && order[place + 1].key === order[place].key + 1)
				i -= order[place++].times.length;
			return order[place].times[i] ?? null;
		},

		/** The time of the first picture at or after a moment in one segment: a time, or null where it has none or is not loaded. */
		firstFrom(key, moment) {
			const segment = segments.get(key);

			if (!segment)
				return null;
			const { date, times, places } = segment;

			return times[places.findIndex((place) => date + place * 1000 >= moment - 1e-3)] ?? null;
		},

		/** The time of a segment's last picture, or null where it is not loaded. */
		lastOf: (key) => segments.get(key)?.times.at(-1) ?? null,
	};
}
