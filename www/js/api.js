/*
 * api.js - every URL of the server that the page uses, and how it is asked.
 *
 * All of them are documented; what the page can do, a script can do.  URLs are
 * relative to the page, which may be mounted below a prefix.
 */
import { isoTime } from './time.js';

/** An answer that is not what was wanted; status 0 where there was none at all. */
export class ApiError extends Error {
	constructor(status, message, retryAfter = null) {
		super(message);
		this.name = 'ApiError';
		this.status = status;
		/** Seconds after which to ask again, or null. */
		this.retryAfter = retryAfter;
	}
}

const enc = encodeURIComponent;

/** path?name=value&...; null and undefined are left out, lists are repeated. */
function withQuery(path, args) {
	const query = [];

	for (const [name, value] of Object.entries(args))
		for (const one of Array.isArray(value) ? value : [value])
			if (one !== null && one !== undefined)
				query.push(`${name}=${enc(one).replace(/%3A/g, ':').replace(/%2C/g, ',')}`);
	return query.length ? `${path}?${query.join('&')}` : path;
}

const between = (from, to) => ({ start: from === null ? null : isoTime(from), end: to === null ? null : isoTime(to) });
const rangeArgs = (ranges) => ranges.map((range) => `${isoTime(range.in)},${isoTime(range.out)}`);

/** URLs without the page's place in front.  Moments are of time.js. */
export const urls = {
	channels: () => 'files',
	qualities: (c) => `files/${enc(c)}`,
	hours: (c, q) => `files/${enc(c)}/${enc(q)}`,
	playlist: (c, q, from, to) => withQuery(`playlist/${enc(c)}/${enc(q)}.m3u8`, between(from, to)),
	editList: (c, q, ranges) => withQuery(`playlist/${enc(c)}/${enc(q)}.m3u8`, { range: rangeArgs(ranges) }),
	coverage: (c, q, from, to, lists = true) =>
		withQuery(`coverage/${enc(c)}/${enc(q)}.json`, { ...between(from, to), lists: lists ? null : 'false' }),
	storyboard: (c, q, from, to, columns, rows, height) =>
		withQuery(`storyboard/${enc(c)}/${enc(q)}.jpg`, { ...between(from, to), columns, rows, height }),
	peaks: (c, q, from, to, points) => withQuery(`peaks/${enc(c)}/${enc(q)}.dat`, { ...between(from, to), points }),
	frame: (c, q, at, height = null, ending = 'jpg') =>
		withQuery(`frame/${enc(c)}/${enc(q)}.${ending}`, { timestamp: isoTime(at), height }),
	thumbnail: (c, q, at, template = null, crop = null, location = null) =>
		withQuery(`thumbnail/${enc(c)}/${enc(q)}.png`, { timestamp: isoTime(at), template, crop: crop?.join(','), location: location?.join(',') }),
	templates: () => 'templates',
	template: (name) => `templates/${enc(name)}.png`,
	chat: (c, from, to) => withQuery(`${enc(c)}/chat.json`, between(from, to)),
	/**
	 * ending: ts, mp4, mkv or webm; ranges and joins of edit.js, all whole;
	 * others as /cut names them: type, allow_holes, faststart, stream, dry_run,
	 * download.
	 */
	cut: (c, q, ending, ranges, joins, others = {}) => withQuery(`cut/${enc(c)}/${enc(q)}.${ending}`, {
		range: rangeArgs(ranges),
		transition: joins.some(Boolean) ? joins.map((join) => join ? `${join.type},${join.seconds}` : '') : null,
		...others,
	}),
	health: () => 'healthz',
};

const pageBase = () => new URL('.', document.baseURI);

/** The whole URL of one of urls. */
export const absolute = (url) => new URL(url, pageBase()).href;

const RETRIES = 3;

const sleep = (ms, signal) => new Promise((resolve, reject) => {
	const timer = setTimeout(resolve, ms);

	signal?.addEventListener('abort', () => {
		clearTimeout(timer);
		reject(signal.reason);
	}, { once: true });
});

/* What went wrong, in the server's own words where it has some. */
async function refusal(answer) {
	const after = Number(answer.headers.get('Retry-After'));
	const type = answer.headers.get('Content-Type') ?? '';
	const text = type.startsWith('text/plain') ? (await answer.text()).trim() : '';

	return new ApiError(answer.status, text || answer.statusText || `status ${answer.status}`, after > 0 ? after : null);
}

/* What stands before the server, a login page for example, answers for it with another good status. */
async function jsonOf(answer, { signal } = {}) {
	try {
		return await answer.json();
	} catch (error) {
		if (signal?.aborted)
			throw error;
		throw new ApiError(answer.status, 'the answer is not the server’s: does another one, that wants a login, stand before it?');
	}
}

/**
 * Asks, and tells onHealth('ok' | 'busy' | 'lost', seconds) how the server is.
 * A busy server (503) is asked again when it says so, three times at most.
 */
export function createApi(onHealth = () => {}) {
	async function once(url, options) {
		let answer;

		try {
			answer = await fetch(absolute(url), options);
		} catch (error) {
			if (options.signal?.aborted)
				throw error;
			onHealth('lost');
			throw new ApiError(0, 'the server cannot be reached');
		}
		if (answer.status === 503 || answer.status === 502 || answer.status === 504) {
			const error = await refusal(answer);

			onHealth(answer.status === 503 ? 'busy' : 'lost', error.retryAfter);
			throw error;
		}
		onHealth('ok');
		if (!answer.ok && answer.status !== 304)
			throw await refusal(answer);
		return answer;
	}

	async function ask(url, options = {}) {
		for (let tries = 0; ; tries++) {
			try {
				return await once(url, options);
			} catch (error) {
				if (error.status !== 503 || tries === RETRIES)
					throw error;
				await sleep((error.retryAfter ?? 1) * 1000, options.signal);
			}
		}
	}

	return {
		/** An answer with a good status; throws ApiError, or AbortError when the signal says so. */
		ask,
		/** The same, not asked a second time when the server is busy. */
		askOnce: once,
		json: async (url, options) => jsonOf(await ask(url, options), options),
		bytes: async (url, options) => (await ask(url, options)).arrayBuffer(),
		blob: async (url, options) => (await ask(url, options)).blob(),
	};
}
