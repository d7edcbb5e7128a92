/*
 * address.js - the page's state as an address, so that a link shares it.
 *
 *	#CHANNEL/QUALITY?t=TIME&range=IN,OUT&range=IN,OUT&transition=fade,1&clock=since&zero=TIME
 *
 * Names are those of /cut.  A mark that is not set is empty; a transition that
 * is empty is a hard cut.  What is not understood is left out: a link may be
 * of another version, or be mangled on its way.
 */
import { isoTime } from './time.js';
import { isTransition } from './transitions.js';

const ZONES = ['utc', 'local', 'since'];
const MAX_RANGES = 100;

/* Only moments as isoTime() writes them. */
function moment(text) {
	const ms = /^\d{4}-\d\d-\d\dT[\d:.]+Z?$/.test(text ?? '') ? Date.parse(text.replace(/Z?$/, 'Z')) : NaN;

	return Number.isNaN(ms) ? null : ms;
}

function decode(text) {
	try {
		return decodeURIComponent(text);
	} catch {
		return '';
	}
}

const written = (ms) => ms === null ? '' : isoTime(ms);

function parseRange(text, i) {
	const [from, to] = text.split(',').map(moment);
	const known = [from, to ?? null];

	return known.every((ms) => ms === null) || (from !== null && to !== null && to <= from)
		? null : { id: i + 1, in: known[0], out: known[1] };
}

function parseJoin(text) {
	const [type, seconds] = (text ?? '').split(',');

	return isTransition(type) && Number(seconds) > 0 && Number(seconds) <= 60 ? { type, seconds: Number(seconds) } : null;
}

/** What an address (location.hash) says: { channel, quality, at, edit, clock }, with null and '' for what it does not. */
export function parseAddress(hash) {
	const [path, query = ''] = hash.replace(/^#/, '').split(/\?(.*)/s);
	const [channel = '', quality = ''] = path.split('/').map(decode);
	const params = new URLSearchParams(query);
	const ranges = params.getAll('range').slice(0, MAX_RANGES).map(parseRange).filter(Boolean);
	const transitions = params.getAll('transition');
	const zone = params.get('clock');
	const zero = moment(params.get('zero'));

	return {
		channel,
		quality,
		at: moment(params.get('t')),
		edit: {
			ranges,
			/* Where a range is left out, what joined it is, too: ids are places. */
			joins: ranges.slice(1).map(({ id }, i) => ranges[i].id === id - 1 ? parseJoin(transitions[id - 2]) : null),
			selected: ranges[0]?.id ?? null,
		},
		clock: ZONES.includes(zone) && (zone !== 'since' || zero !== null) ? { zone, zero } : null,
	};
}

/** The address of a state; at is null where it follows the stream. */
export function formatAddress({ channel, quality, at, edit, clock }) {
	const query = [];

	if (at !== null)
		query.push(`t=${isoTime(at)}`);
	for (const range of edit.ranges)
		query.push(`range=${written(range.in)},${written(range.out)}`);
	if (edit.joins.some(Boolean))
		for (const join of edit.joins)
			query.push(`transition=${join ? `${join.type},${join.seconds}` : ''}`);
	if (clock.zone !== 'utc')
		query.push(`clock=${clock.zone}`);
	if (clock.zero !== null)
		query.push(`zero=${isoTime(clock.zero)}`);
	return `#${encodeURIComponent(channel)}/${encodeURIComponent(quality)}${query.length ? `?${query.join('&')}` : ''}`;
}
