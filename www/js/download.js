/*
 * download.js - files that are fetched by the page, and survive connections
 * that break.
 *
 * What has a length and an ETag goes on where it broke off; anything else
 * begins anew.  A file is finished only if it is as long as the server said.
 * Nothing here knows of elements: fetch, sinks and waits come from outside, so
 * that tests can have their own.
 */

/** Chunks are folded into a Blob of this size, which a browser may keep on disk. */
const FOLD = 8 * 1024 * 1024;
const LONGEST_WAIT = 30;
const SPEED_OVER = 3000;

/** A fault that no second try will mend; message is in the server's words. */
class Refused extends Error {}

/** The numbers of "bytes 5-9/10"; null if it is not that. */
export function parseContentRange(text) {
	const found = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(text ?? '');

	return found && { first: Number(found[1]), last: Number(found[2]), total: Number(found[3]) };
}

/** Seconds until the n-th try (from 0) in a row without progress: 1, 2, 4 ... 30. */
export const backoff = (n) => Math.min(2 ** n, LONGEST_WAIT);

/** Seconds of a Retry-After, which is a number or a date; null if it is none. */
export function parseRetryAfter(text, now = Date.now()) {
	if (!text)
		return null;
	if (/^\d+$/.test(text.trim()))
		return Number(text);
	const at = Date.parse(text);

	return Number.isNaN(at) ? null : Math.max(0, (at - now) / 1000);
}

function lengthOf(answer) {
	const text = answer.headers.get('Content-Length');

	return text !== null && /^\d+$/.test(text) && !answer.headers.get('Content-Encoding') ? Number(text) : null;
}

/** Bytes a second over the last seconds; null before there is anything to say. */
export function createMeter(now = () => performance.now()) {
	let marks = [];

	return {
		add(received) {
			const at = now();

			marks.push({ at, received });
			while (marks.length > 2 && marks[1].at < at - SPEED_OVER)
				marks.shift();
		},
		speed() {
			const first = marks[0];
			const last = marks.at(-1);

			return first && last.at - first.at > 200 ? (last.received - first.received) * 1000 / (last.at - first.at) : null;
		},
		clear() {
			marks = [];
		},
	};
}

/** Into a file that the user chose, as it arrives; what was not finished is thrown away. */
export async function fileSink(handle) {
	const file = await handle.createWritable();

	return {
		write: (chunk) => file.write(chunk),
		async restart() {
			await file.truncate(0);
			await file.seek(0);
		},
		close: () => file.close(),
		abort: () => file.abort().catch(() => {}),
	};
}

/** Into Blobs, of which save(blob) makes a file at the end. */
export function blobSink(save) {
	let folded = [];
	let chunks = [];
	let pending = 0;

	function fold() {
		folded.push(new Blob(chunks));
		chunks = [];
		pending = 0;
	}

	const drop = () => {
		folded = [];
		chunks = [];
		pending = 0;
	};

	return {
		async write(chunk) {
			chunks.push(chunk);
			pending += chunk.byteLength;
			if (pending >= FOLD)
				fold();
		},
		async restart() {
			drop();
		},
		async close() {
			fold();
			await save(new Blob(folded));
			drop();
		},
		async abort() {
			drop();
		},
	};
}

/* Takes an answer's headers: where its body goes on, or throws. */
async function begin(job, answer, sink) {
	if (answer.status === 206) {
		const range = parseContentRange(answer.headers.get('Content-Range'));
		const tag = answer.headers.get('ETag');

		if (range && range.first === job.received && range.total === job.total && (!tag || tag === job.etag))
			return;
		await startOver(job, sink, 'The server went on at another place');
		throw new Error('not the range that was asked for');
	}
	if (job.received)
		await startOver(job, sink, job.resumes ? 'The file has changed in the archive' : 'The connection broke, and a file of this type cannot go on where it stopped');
	job.total = lengthOf(answer);
	job.etag = answer.headers.get('ETag');
	job.resumes = job.total !== null && Boolean(job.etag) && !job.etag.startsWith('W/');
}

async function startOver(job, sink, why) {
	job.note = `${why}: begun anew.`;
	job.received = 0;
	job.etag = null;
	job.meter.clear();
	await sink.restart();
}

/* A status that is no file: throws, with the seconds to wait where another try is of use. */
async function refuse(job, answer, sink) {
	if (answer.status === 416 && job.received) {
		await startOver(job, sink, 'The file has changed in the archive');
		throw new Error('the file has changed');
	}
	const words = (await answer.text().catch(() => '')).trim();
	const error = new Error(words || `the server answered ${answer.status}`);

	if (![429, 502, 503, 504].includes(answer.status))
		throw new Refused(error.message);
	error.retryAfter = parseRetryAfter(answer.headers.get('Retry-After'));
	throw error;
}

/* One request; returns when its body has ended as it should. */
async function attempt(job, sink, { fetch, signal, report }) {
	const headers = job.received && job.resumes ? { Range: `bytes=${job.received}-`, 'If-Range': job.etag } : {};
	const answer = await fetch(job.url, { headers, signal, cache: 'no-store' });

	if (answer.status !== 200 && answer.status !== 206)
		await refuse(job, answer, sink);
	await begin(job, answer, sink);
	job.state = job.paused ? 'paused' : 'running';
	job.headAt ??= job.now();
	report();
	const reader = answer.body.getReader();

	for (;;) {
		await job.gate;
		const { done, value } = await reader.read();

		if (done)
			break;
		await put(job, sink, value);
		report();
	}
	if (job.total !== null && job.received !== job.total)
		throw new Error(`the connection ended after ${job.received} of ${job.total} bytes`);
}

/* A fault of the disk is not mended by asking the server again. */
async function put(job, sink, chunk) {
	if (job.total !== null && job.received + chunk.byteLength > job.total) {
		await startOver(job, sink, 'More arrived than the file is long');
		throw new Error('too long');
	}
	try {
		await sink.write(chunk);
	} catch (error) {
		throw new Refused(`The file cannot be written: ${error.message}`);
	}
	job.received += chunk.byteLength;
	job.meter.add(job.received);
}

/*
 * Fetches all of a job into the sink, over as many requests as it takes.
 * Throws Refused where that is of no use, or the signal's reason.
 */
async function fetchWhole(job, sink, around) {
	for (let tries = 0; ; ) {
		const before = job.received;

		try {
			await attempt(job, sink, { ...around, signal: job.connection().signal });
			return;
		} catch (error) {
			const isOurs = job.hungUp;

			job.hangUp();
			job.hungUp = false;
			job.cancelled.throwIfAborted();
			if (error instanceof Refused)
				throw error;
			if (isOurs) {
				await job.gate;
				job.cancelled.throwIfAborted();
				continue;
			}
			tries = job.received > before ? 0 : tries;
			await hold(job, error, backoff(tries++), around);
		}
	}
}

async function hold(job, error, seconds, { wait, report }) {
	const after = error.retryAfter ?? seconds;

	job.state = 'retrying';
	job.fault = error.retryAfter === undefined ? 'The connection broke.' : `The server is busy: ${error.message}`;
	job.retryAt = Date.now() + after * 1000;
	report();
	await wait(after * 1000, job.cancelled);
	await job.gate;
	job.cancelled.throwIfAborted();
	job.fault = '';
}

const waitFor = (ms, signal) => new Promise((resolve) => {
	const timer = setTimeout(resolve, ms);

	signal.addEventListener('abort', () => {
		clearTimeout(timer);
		resolve();
	}, { once: true });
});

function createJob(id, { url, name, pictures = 0 }, now) {
	const stop = new AbortController();
	let connection = null;

	return {
		id, url, name, pictures, now,
		state: 'waiting', received: 0, total: null, etag: null, resumes: false,
		note: '', fault: '', retryAt: 0, beganAt: now(), headAt: null, paused: false,
		meter: createMeter(now), gate: null, open: null, stop, cancelled: stop.signal,
		connection() {
			connection = new AbortController();
			stop.signal.addEventListener('abort', () => connection.abort(), { once: true });
			return connection;
		},
		hungUp: false,
		hangUp() {
			this.hungUp = true;
			connection?.abort();
		},
	};
}

const ENDED = ['done', 'failed', 'cancelled'];

export const hasEnded = (job) => ENDED.includes(job.state);

/* What the next cut's expected time is reckoned from. */
function measure(measured, job) {
	const seconds = (job.now() - job.headAt) / 1000;
	const wait = (job.headAt - job.beganAt) / 1000;

	if (job.note || job.slowed)
		return;
	if (job.received > 1e5 && seconds > 0.05)
		measured.bytesPerSecond = job.received / seconds;
	if (job.pictures > 20 && wait > 0.05)
		measured.picturesPerSecond = job.pictures / wait;
}

/**
 * All downloads of the page.  onChange(job) is called when one changes, which
 * is often: draw with the next picture.  A job's fields are to be read: state
 * ('waiting', 'running', 'paused', 'retrying', 'saving', 'done', 'failed',
 * 'cancelled'), received, total (null while unknown), note (what happened),
 * fault (why it waits or failed), retryAt, resumes.
 */
export function createDownloads({ fetch, wait = waitFor, now = () => performance.now(), onChange = () => {} }) {
	const jobs = [];
	const measured = { bytesPerSecond: null, picturesPerSecond: null };
	let ids = 0;

	async function run(job, sink) {
		const report = () => onChange(job);

		try {
			await fetchWhole(job, sink, { fetch, wait, report });
			job.state = 'saving';
			report();
			await sink.close();
			job.state = 'done';
			measure(measured, job);
		} catch (error) {
			job.state = job.cancelled.aborted ? 'cancelled' : 'failed';
			job.fault = job.cancelled.aborted ? '' : error.message;
			await sink.abort();
		}
		report();
		return job;
	}

	return {
		jobs,
		/** Of this session's downloads: { bytesPerSecond, picturesPerSecond }, null if unknown. */
		measured,

		/** Begins one: { url (whole), name, pictures: to be encoded }.  job.ended is a promise of the job. */
		start(what, sink) {
			const job = createJob(++ids, what, now);

			jobs.unshift(job);
			onChange(job);
			job.ended = run(job, sink);
			return job;
		},

		/** Lets go of the connection where it can go on later; else reads no further. */
		pause(job) {
			if (hasEnded(job) || job.paused)
				return;
			job.paused = true;
			job.slowed = true;
			job.state = 'paused';
			job.gate = new Promise((resolve) => { job.open = resolve; });
			if (job.resumes)
				job.hangUp();
			onChange(job);
		},

		resume(job) {
			if (!job.paused)
				return;
			job.paused = false;
			job.state = 'running';
			job.meter.clear();
			job.open();
			job.gate = null;
			onChange(job);
		},

		cancel(job) {
			if (hasEnded(job))
				return;
			job.stop.abort(new Error('cancelled'));
			job.open?.();
		},

		/** Forgets one that has ended. */
		remove(job) {
			if (hasEnded(job))
				jobs.splice(jobs.indexOf(job), 1);
		},

		isBusy: () => jobs.some((job) => !hasEnded(job)),
	};
}
