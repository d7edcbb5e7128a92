/*
 * The plan of a cut that is being edited: who is asked, and how often.
 */
import './old-node.mjs';
import assert from 'node:assert/strict';
import test from 'node:test';
import { createPlanner } from '../../../www/js/cutask.js';

const cutOf = (out) => ({ channel: 'c', quality: 'q', ending: 'ts', ranges: [{ in: 0, out }], joins: [], args: { type: 'smart', allow_holes: null } });
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/* Until a condition is true; a moment more, in which what must not come may come. */
async function until(condition) {
	for (let tries = 0; !condition() && tries < 1000; tries++)
		await pause(10);
	assert.ok(condition(), String(condition));
	await pause(150);
}

function start(answer) {
	const urls = [];
	const told = [];
	const planner = createPlanner({ async json(url, { signal }) {
		urls.push(url);
		return answer(urls.length, signal);
	} }, (known) => told.push(known), { settle: 20, again: 30 });

	return { urls, told, planner };
}

test('of many changes the last is asked for, once, with holes allowed', async () => {
	const { urls, told, planner } = start(() => ({ bytes: 1, holes: 0 }));

	for (let i = 1; i <= 50; i++)
		planner.ask(cutOf(i * 1000));
	planner.ask(cutOf(50000));
	await until(() => told.at(-1)?.state === 'known');
	assert.equal(urls.length, 1);
	assert.match(urls[0], /00:00:50\.000&type=smart&allow_holes=true&dry_run=true$/);
	assert.deepEqual(told.at(-1), { state: 'known', plan: { bytes: 1, holes: 0 } });
});

test('what is no longer of interest is called off, and not heard of', async () => {
	const signals = [];
	const { told, planner } = start((n, signal) => {
		signals.push(signal);
		return new Promise((resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
	});

	planner.ask(cutOf(1000));
	await until(() => signals.length === 1);
	planner.ask(null);
	await pause(20);
	assert.ok(signals[0].aborted);
	assert.deepEqual(told.map((known) => known.state), ['asking']);
});

test('busy is asked again when the server says; a refusal is not', async () => {
	const asked = [];
	const { told, planner } = start((n) => {
		asked.push(Date.now());
		if (n === 1)
			throw Object.assign(new Error('busy'), { status: 503, retryAfter: 0.3 });
		throw Object.assign(new Error('no'), { status: 400, retryAfter: null });
	});

	planner.ask(cutOf(1000));
	await until(() => asked.length === 2 && told.length === 3);
	assert.equal(asked.length, 2);
	assert.ok(asked[1] - asked[0] >= 290, String(asked[1] - asked[0]));
	assert.deepEqual(told.map((known) => known.state), ['asking', 'refused', 'refused']);
});

test('a hole of the last minutes may be filled; an old one stays', async () => {
	const young = start((n) => ({ holes: n < 3 ? 1 : 0 }));
	const old = start(() => ({ holes: 1 }));

	young.planner.ask(cutOf(Date.now()));
	old.planner.ask(cutOf(1000));
	await until(() => young.told.at(-1)?.plan?.holes === 0 && old.urls.length === 1);
	assert.equal(young.urls.length, 3);
	assert.equal(young.told.at(-1).plan.holes, 0);
	assert.equal(old.urls.length, 1);
});
