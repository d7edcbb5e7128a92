/* What the page keeps while it follows a stream for an hour, which passes as fast as the page can take it. */
import assert from 'node:assert/strict';
import { openPage, waitForVideo } from './browser.mjs';
import { addressOf } from './page.mjs';
import { feed, serve, tempDir } from './server.mjs';
import { diag, finish, test } from './tap.mjs';

const STEP = 10000;
const SEGMENTS = STEP / 2000;
const HOUR_STEPS = 3600000 / STEP;

/* What lives, after what does not has been collected. */
async function living(page, devtools) {
	await devtools.send('HeapProfiler.collectGarbage');
	const { metrics } = await devtools.send('Performance.getMetrics');
	const of = (name) => metrics.find((metric) => metric.name === name).value;

	return { heap: of('JSHeapUsedSize'), nodes: of('Nodes'), listeners: of('JSEventListeners') };
}

await test('an hour of live stream leaves nothing behind', async () => {
	const base = await tempDir('hour');
	const start = Math.floor(Date.now() / 2000) * 2000 - 3600000;
	const live = await feed(base, start);

	await live.put(60);
	const server = await serve(base);
	const page = await openPage(server, null);

	page.expect(/404.*chat\.json/);
	await page.clock.install({ time: live.end });
	await page.goto(new URL(addressOf({ channel: 'live' }), server.url).href);
	await waitForVideo(page);
	const devtools = await page.context().newCDPSession(page);
	const marks = [];

	await devtools.send('Performance.enable');
	for (let step = 12; step < HOUR_STEPS; step++) {
		const listed = page.waitForResponse((answer) => answer.url().includes('/playlist/'));

		await live.put(SEGMENTS);
		await page.clock.fastForward(STEP);
		await listed;
		if (step % (HOUR_STEPS / 6) === HOUR_STEPS / 6 - 1)
			marks.push(await living(page, devtools));
	}
	diag(marks.map(({ heap, nodes, listeners }) => `${(heap / 1e6).toFixed(2)} MB, ${nodes} nodes, ${listeners} listeners`).join('; '));
	assert.equal(await page.locator('#live').getAttribute('aria-pressed'), 'true');
	const [first, second] = [marks.slice(1, 3), marks.slice(-2)];
	const most = (list, name) => Math.max(...list.map((mark) => mark[name]));

	assert.ok(most(second, 'heap') < most(first, 'heap') * 1.2 + 1e6, 'the heap');
	assert.ok(most(second, 'nodes') < most(first, 'nodes') * 1.1 + 200, 'nodes');
	assert.ok(most(second, 'listeners') < most(first, 'listeners') * 1.1 + 100, 'listeners');
});

await finish();
