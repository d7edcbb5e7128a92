/*
 * time.js - moments as people write them, and as they are shown.
 *
 * A moment is a number: milliseconds since 1970, UTC.  Marks are whole ones:
 * pictures are at least 8 ms apart, so the whole millisecond at or before a
 * picture is behind the picture before it, and a cut that begins there begins
 * with that picture.
 *
 * A clock says how moments are shown: { zone: 'utc' | 'local' | 'since',
 * zero }, with zero the moment from which 'since' counts.
 */

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const pad = (n, width = 2) => String(Math.trunc(n)).padStart(width, '0');

/** What the server takes: 2026-11-07T02:00:00.016 (UTC). */
export function isoTime(ms) {
	return new Date(Math.floor(ms)).toISOString().slice(0, -1);
}

/** The server's hour directories: 2026-11-07T02. */
export function parseHour(name) {
	/* Browsers take more than that for a time. */
	const ms = /^\d{4}-\d\d-\d\dT\d\d$/.test(name) ? Date.parse(`${name}:00:00Z`) : NaN;

	return Number.isNaN(ms) ? null : ms;
}

/** 1:02:03.004; digits after the point, and hours only where there are any. */
export function formatDuration(ms, digits = 0) {
	const unit = 10 ** (3 - digits);
	const whole = Math.floor(Math.abs(ms) / unit + 1e-6) * unit;
	const hours = Math.floor(whole / HOUR);
	const minutes = Math.floor((whole % HOUR) / MINUTE);
	const seconds = Math.floor((whole % MINUTE) / SECOND);
	const fraction = digits ? `.${pad(whole % SECOND, 3).slice(0, digits)}` : '';
	const sign = ms < 0 && whole > 0 ? '-' : '';

	return hours ? `${sign}${hours}:${pad(minutes)}:${pad(seconds)}${fraction}`
		: `${sign}${minutes}:${pad(seconds)}${fraction}`;
}

/** Parts of a moment on a clock's calendar; not for 'since'. */
function calendar(ms, zone) {
	const date = new Date(Math.floor(ms));

	return zone === 'local'
		? [date.getFullYear(), date.getMonth() + 1, date.getDate(), date.getHours(),
			date.getMinutes(), date.getSeconds(), date.getMilliseconds()]
		: [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCHours(),
			date.getUTCMinutes(), date.getUTCSeconds(), date.getUTCMilliseconds()];
}

/** 2026-11-07; empty on a clock that counts from a start. */
export function formatDate(ms, clock) {
	const [year, month, day] = calendar(ms, clock.zone);

	return clock.zone === 'since' ? '' : `${pad(year, 4)}-${pad(month)}-${pad(day)}`;
}

/** 02:00:00.016, or 26:00:00.016 since the start. */
export function formatClock(ms, clock, digits = 3) {
	if (clock.zone === 'since') {
		const since = ms - (clock.zero ?? 0);
		const text = formatDuration(Math.abs(since), digits);

		return (since < 0 ? '-' : '') + (Math.abs(since) < HOUR ? `0:${text.padStart(digits ? 6 + digits : 5, '0')}` : text);
	}
	const [, , , hour, minute, second, milli] = calendar(ms, clock.zone);
	const fraction = digits ? `.${pad(milli, 3).slice(0, digits)}` : '';

	return `${pad(hour)}:${pad(minute)}:${pad(second)}${fraction}`;
}

/** Date and time; what a tooltip or a mark shows. */
export function formatTime(ms, clock, digits = 3) {
	return `${formatDate(ms, clock)} ${formatClock(ms, clock, digits)}`.trim();
}

/** 90s, 2h30m, 1d12h; null if it is none. */
export function parseSpan(text) {
	const units = { d: DAY, h: HOUR, m: MINUTE, s: SECOND };
	let ms = 0;

	if (!/^(\d+(\.\d+)?[dhms])+$/.test(text))
		return null;
	for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d+)?)([dhms])/g))
		ms += Number(count) * units[unit];
	return ms;
}

/** 1:02:03.5, 62:03, 90; null if it is none. */
function parseCount(text) {
	const found = /^(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)$/.exec(text);

	return found && Number(found[1] ?? 0) * HOUR + Number(found[2] ?? 0) * MINUTE + Number(found[3]) * SECOND;
}

const DATED = /^(\d{4})-(\d\d)-(\d\d)(?:[T ]+(\d\d):(\d\d)(?::(\d\d)(\.\d*)?)?)?\s*(Z|[+-]\d\d:?\d\d)?$/i;
const UNDATED = /^(\d{1,2}):(\d\d)(?::(\d\d)(\.\d*)?)?\s*(Z)?$/i;

function offsetOf(zone) {
	const found = /^([+-])(\d\d):?(\d\d)$/.exec(zone);

	return found ? (found[1] === '-' ? -1 : 1) * (Number(found[2]) * HOUR + Number(found[3]) * MINUTE) : 0;
}

/* The moment of a calendar's parts; null where there is no such day or hour. */
function moment(parts, zone) {
	const [year, month, day, hour, minute, second, milli] = parts;
	const utc = Date.UTC(year, month - 1, day, hour, minute, second, milli);

	if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59 ||
		new Date(utc).getUTCDate() !== day)
		return null;
	return zone === 'local' ? new Date(year, month - 1, day, hour, minute, second, milli).getTime()
		: utc - offsetOf(zone);
}

const milliOf = (fraction) => Math.floor(Number(`0${fraction ?? ''}`) * 1000 + 1e-6);

/**
 * The moment that a text means, or null.  Takes what the server does, and what
 * an editor types: a time of the day that is shown, a count on a clock that
 * counts, +90s or -1:30 from where one is.  here: { clock, at, now }.
 */
export function parseTime(typed, here) {
	const text = typed.trim();
	const zone = here.clock.zone === 'since' ? 'utc' : here.clock.zone;
	let found;

	if ((found = /^now(?:\s*-\s*(.+))?$/i.exec(text))) {
		const back = found[1] ? parseSpan(found[1]) : 0;

		return back === null ? null : here.now - back;
	}
	if ((found = /^@(\d+(?:\.\d+)?)$/.exec(text)))
		return Math.floor(Number(found[1]) * 1000 + 1e-6);
	if ((found = /^([+-])\s*(.+)$/.exec(text)) && here.clock.zone !== 'since') {
		const by = parseSpan(found[2]) ?? parseCount(found[2]);

		return by === null ? null : here.at + (found[1] === '-' ? -by : by);
	}
	if ((found = DATED.exec(text))) {
		const parts = [1, 2, 3, 4, 5, 6].map((i) => Number(found[i] ?? 0));

		return moment([...parts, milliOf(found[7])], found[8] ?? zone);
	}
	if (here.clock.zone === 'since') {
		const back = text.startsWith('-');
		const count = text.replace(/^[+-]\s*/, '');
		const ms = parseSpan(count) ?? parseCount(count);

		return ms === null ? null : (here.clock.zero ?? 0) + (back ? -ms : ms);
	}
	if ((found = UNDATED.exec(text))) {
		const of = found[5] ? 'utc' : zone;
		const [year, month, day] = calendar(here.at, of);

		return moment([year, month, day, Number(found[1]), Number(found[2]), Number(found[3] ?? 0), milliOf(found[4])], of);
	}
	return null;
}
