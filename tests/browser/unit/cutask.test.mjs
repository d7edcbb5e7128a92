/*
 * The plan of a cut that is being edited: who is asked, and how often.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { createPlanner } from '../../../www/js/cutask.js';

const cutOf = (out) => ({ channel: 'c', quality: 'q', ending: 'ts', ranges: [{ in: 0, out }], joins: [], args: { type: 'smart', allow_holes: null } });

function ask(answer) {
	const urls = [];
	const told = [];
	const planner = createPlanner({ async json(url, { signal }) {
		urls.push(url);
		return answer(urls.length, signal);
	} }, (known) => told.push(known));

	return { urls, told, planner };
}

test('of many changes the last is asked for, once, with holes allowed', async (t) => {
	t.mock.timers.enable({ apis: ['setTimeout'] });
	const { urls, told, planner } = ask(() => ({ bytes: 1, holes: 0 }));

	for (let i = 1; i <= 50; i++)
		planner.ask(cutOf(i * 1000));
	planner.ask(cutOf(50000));
	t.mock.timers.tick(300);
	await new Promise(setImmediate);
	assert.equal(urls.length, 1);
	assert.match(urls[0], /00:00:50\.000&type=smart&allow_holes=true&dry_run=true$/);
	assert.deepEqual(told.at(-1), { state: 'known', plan: { bytes: 1, holes: 0 } });
	t.mock.timers.tick(60000);
	await new Promise(setImmediate);
	assert.equal(urls.length, 1);
});

test('what is no longer of interest is called off, and not heard of', async (t) => {
	t.mock.timers.enable({ apis: ['setTimeout'] });
	const signals = [];
	const { told, planner } = ask((n, signal) => {
		signals.push(signal);
		return new Promise((resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
	});

	planner.ask(cutOf(1000));
	t.mock.timers.tick(300);
	planner.ask(null);
	await new Promise(setImmediate);
	assert.ok(signals[0].aborted);
	assert.deepEqual(told.map((known) => known.state), ['asking']);
});

test('busy is asked again when the server says; a refusal is not', async (t) => {
	t.mock.timers.enable({ apis: ['setTimeout'] });
	const { urls, told, planner } = ask((n) => {
		if (n === 1)
			throw Object.assign(new Error('busy'), { status: 503, retryAfter: 7 });
		throw Object.assign(new Error('no'), { status: 400, retryAfter: null });
	});

	planner.ask(cutOf(1000));
	t.mock.timers.tick(300);
	await new Promise(setImmediate);
	t.mock.timers.tick(6900);
	assert.equal(urls.length, 1);
	t.mock.timers.tick(200);
	await new Promise(setImmediate);
	t.mock.timers.tick(100000);
	await new Promise(setImmediate);
	assert.equal(urls.length, 2);
	assert.deepEqual(told.map((known) => known.state), ['asking', 'refused', 'refused']);
});

test('a hole of the last minutes may be filled', async (t) => {
	t.mock.timers.enable({ apis: ['setTimeout'] });
	const { urls, told, planner } = ask((n) => ({ holes: n === 1 ? 1 : 0 }));

	planner.ask(cutOf(Date.now()));
	t.mock.timers.tick(300);
	await new Promise(setImmediate);
	t.mock.timers.tick(3000);
	await new Promise(setImmediate);
	t.mock.timers.tick(100000);
	await new Promise(setImmediate);
	assert.equal(urls.length, 2);
	assert.equal(told.at(-1).plan.holes, 0);
});
