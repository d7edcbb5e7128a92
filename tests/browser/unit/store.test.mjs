/* store.js: who watches is told once of what changed, and of nothing else. */
import './old-node.mjs';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createStore } from '../../../www/js/store.js';

const told = () => new Promise((resolve) => setTimeout(resolve));

test('a watcher is called now, and once for all changes of a moment', async () => {
	const store = createStore({ a: 1, b: 2, c: 3 });
	const calls = [];

	store.watch(['a', 'b'], (state) => calls.push([state.a, state.b]));
	assert.deepEqual(calls, [[1, 2]]);
	store.set({ a: 5 });
	store.set({ b: 6, c: 7 });
	assert.equal(store.state.a, 5);
	assert.equal(calls.length, 1);
	await told();
	assert.deepEqual(calls, [[1, 2], [5, 6]]);
});

test('what is as it was is no change', async () => {
	const store = createStore({ a: NaN, b: null });
	let calls = 0;

	store.watch(['a', 'b'], () => calls++);
	store.set({ a: NaN, b: null });
	await told();
	assert.equal(calls, 1);
	store.set({ b: undefined });
	await told();
	assert.equal(calls, 2);
});

test('other keys are of no interest, and one may stop watching', async () => {
	const store = createStore({ a: 1, b: 1 });
	let calls = 0;
	const stop = store.watch(['a'], () => calls++);

	store.set({ b: 2 });
	await told();
	assert.equal(calls, 1);
	stop();
	store.set({ a: 2 });
	await told();
	assert.equal(calls, 1);
});

test('a watcher may change the state, and is told of that, too', async () => {
	const store = createStore({ a: 0, b: 0 });
	const seen = [];

	store.watch(['a'], ({ a }) => store.set({ b: a * 2 }));
	store.watch(['b'], ({ b }) => seen.push(b));
	store.set({ a: 4 });
	await told();
	assert.deepEqual(seen, [0, 8]);
});

test('the initial object is not the state', () => {
	const initial = { a: 1 };
	const store = createStore(initial);

	store.set({ a: 2 });
	assert.equal(initial.a, 1);
});
