/*
 * cutplan.js - what kinds of cut there are, and what the server says of one
 * before it is made, in words.
 */
import { formatDuration } from './time.js';

/**
 * ranges: its answer has a length and byte ranges, so that a download goes on
 * where it broke off.  whole: all of it is encoded; there is no plan of it.
 */
export const TYPES = [
	{ id: 'smart', ending: 'ts', ranges: true, label: 'Exact (.ts)', says: 'Exact to the picture. Only the edges are encoded, the rest is copied.' },
	{ id: 'mp4', ending: 'mp4', ranges: false, label: 'Exact (.mp4)', says: 'The same pictures and sound as MP4.' },
	{ id: 'mkv', ending: 'mkv', ranges: false, label: 'Exact (.mkv)', says: 'The same pictures and sound as Matroska.' },
	{ id: 'rough', ending: 'ts', ranges: true, label: 'Rough (.ts)', says: 'Whole segments, byte for byte: a little more at both ends, no transitions.' },
	{ id: 'fast', ending: 'ts', ranges: true, label: 'Exact, source clock (.ts)', says: 'Exact to the picture, and keeps the clock of the source within a range.' },
	{ id: 'mpegts', ending: 'ts', ranges: false, whole: true, label: 'Encoded whole (.ts)', says: 'Every picture encoded again, lossless H.264: slow and large, takes any source.' },
	{ id: 'webm', ending: 'webm', ranges: false, whole: true, label: 'Encoded whole (.webm)', says: 'Every picture encoded again, VP9 and Opus: slow, small, for the web.' },
];

export const typeOf = (id) => TYPES.find((type) => type.id === id) ?? TYPES[0];

/** Whether a broken download of this goes on: also a plain MP4, which is made before it is sent. */
export const hasRanges = (type, faststart) => type.ranges || (type.id === 'mp4' && faststart);

/** Arguments of /cut besides ranges and joins. */
export function cutArgs(type, { holes = false, faststart = false } = {}) {
	return {
		type: type.id,
		allow_holes: holes ? 'true' : null,
		faststart: type.id === 'mp4' && faststart ? 'true' : null,
	};
}

const WARNINGS = {
	'sound-converted': 'The source changes the format of its sound; the shorter part is converted.',
	'format-change': 'The pictures change their format within the cut. Not every player takes that.',
	'start-moved': 'The archive lacks the key frame that the first pictures need: the cut begins a little later.',
};

/** A warning of the server in words; one that is not known stays as it is. */
export const warningWords = (name) => WARNINGS[name] ?? String(name);

/** 1.2 MB; as disks are sold, and as browsers show them. */
export function formatBytes(bytes) {
	const units = ['B', 'kB', 'MB', 'GB', 'TB'];
	let unit = 0;
	let value = bytes;

	while (value >= 999.5 && unit < units.length - 1) {
		value /= 1000;
		unit++;
	}
	return `${unit && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** A length of time that is only about right: 3 s, 4 min, 2 h 10 min. */
export function roughly(seconds) {
	const whole = Math.max(1, Math.round(seconds));

	if (whole < 90)
		return `${whole} s`;
	const minutes = Math.round(whole / 60);

	return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export const counted = (n, one, many = `${one}s`) => `${n.toLocaleString('en')} ${n === 1 ? one : many}`;

/**
 * Seconds that a cut will take, or null where nothing is known.  measured: of
 * earlier downloads, { bytesPerSecond, picturesPerSecond }, null if unknown.
 */
export function expectedSeconds(plan, measured) {
	if (!Number.isFinite(plan.bytes) || !measured.bytesPerSecond)
		return null;
	const pictures = plan.frames_to_encode ?? 0;

	if (pictures > 60 && !measured.picturesPerSecond)
		return null;
	return plan.bytes / measured.bytesPerSecond + (measured.picturesPerSecond ? pictures / measured.picturesPerSecond : 0);
}

/** What there is to know of a cut before it is made: [[term, text]]. */
export function planWords(type, plan, measured) {
	const words = [];
	const seconds = expectedSeconds(plan, measured);

	if (Number.isFinite(plan.duration))
		words.push(['Length', formatDuration(plan.duration * 1000, 3)]);
	words.push(['Size', Number.isFinite(plan.bytes) ? formatBytes(plan.bytes)
		: 'not known before it is made']);
	if (type.whole)
		words.push(['To encode', 'every picture']);
	else if (type.id !== 'rough')
		words.push(['To encode', plan.frames_to_encode ? counted(plan.frames_to_encode, 'picture') : 'nothing']);
	if (seconds !== null)
		words.push(['Takes', `about ${roughly(seconds)}`]);
	return words;
}

/** What may be in the name of a file on all systems. */
export function safeName(text, fallback = 'cut') {
	const name = text.replace(/[\u0000-\u001f\u007f<>:"/\\|?*\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g, '-').replace(/^[\s.-]+|[\s.-]+$/g, '');

	return [...name].slice(0, 120).join('') || fallback;
}

/**
 * What to do about a refusal (ApiError): { title, advice }.  The server's own
 * words stand below it.
 */
export function adviceFor({ status, message }, type) {
	switch (status) {
	case 406:
		if (/^contains holes/.test(message))
			return { title: 'Nothing is there to be cut', advice: 'Move the marks to where the timeline shows a recording.' };
		return { title: 'This cannot be cut so', advice: type.whole ? 'No type can cut this.' : 'Another type may do: “Encoded whole” takes any source.' };
	case 413: return { title: 'Too much at once', advice: 'Shorten the ranges, or cut them in several files.' };
	case 400: return { title: 'The server refuses this', advice: 'Check the marks and the transitions.' };
	case 404: return { title: 'Not in the archive', advice: 'The channel or the quality may have gone. Choose another.' };
	case 503: return { title: 'The server is busy', advice: 'It is asked again in a moment.' };
	case 0: return { title: 'No answer', advice: 'The server cannot be reached. It is asked again in a moment.' };
	default: return { title: 'The server failed', advice: 'Try again; if it stays, tell who keeps the server.' };
	}
}
