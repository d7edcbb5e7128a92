/*
 * How much the page weighs, how long its tasks take on a week of archive, and
 * that they take no longer than on an hour of it.
 *
 * Times are CPU times of a thread, which other programs do not lengthen.
 */
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { launch, until } from './browser.mjs';
import { addressOf, momentOf, openAt, shows } from './page.mjs';
import { archive, serve } from './server.mjs';
import { diag, finish, test } from './tap.mjs';

const SCRIPTS_MOST = 250000;
const TASK_MOST = 50;

/* Scripts that the page brings, as they go over the wire: { name: bytes }. */
async function scriptsOf(page, server) {
	const scripts = await page.evaluate(() => Object.fromEntries(performance.getEntriesByType('resource')
		.filter((entry) => /\.m?js$/.test(entry.name)).map((entry) => [new URL(entry.name).pathname, entry.encodedBodySize])));

	/* Workers load past the page's own list in some browsers. */
	if (!scripts['/www/lib/hls.worker.js']) {
		const worker = await page.request.get(new URL('www/lib/hls.worker.js', server.url).href, { headers: { 'Accept-Encoding': 'gzip' } });

		scripts['/www/lib/hls.worker.js'] = Number((await worker.headersArray()).find(({ name }) => /^content-length$/i.test(name))?.value ?? gzipSync(await worker.body()).length);
	}
	return scripts;
}

const sumOf = (scripts) => Object.values(scripts).reduce((a, b) => a + b);

await test(`a page that plays has brought less than ${SCRIPTS_MOST / 1000} kB of scripts, compressed as they come`, async () => {
	const server = await serve(await archive('main'), ['--templates', await archive('templates')]);
	const page = await openAt(server, { at: momentOf(600) });

	await shows(page, 600);
	const scripts = await scriptsOf(page, server);
	const largest = Object.entries(scripts).sort((a, b) => b[1] - a[1]).slice(0, 4).map(([name, size]) => `${name} ${size}`);

	diag(`${Object.keys(scripts).length} scripts, ${sumOf(scripts)} bytes: ${largest.join(', ')}`);
	assert.ok(scripts['/www/js/main.js'] && scripts['/www/lib/hls.light.min.mjs'], Object.keys(scripts).join());
	assert.ok(sumOf(scripts) < SCRIPTS_MOST, `${sumOf(scripts)} bytes`);
	for (const tab of ['cut', 'picture'])
		await page.locator(`#tab-${tab}`).click();
	await until(async () => (await scriptsOf(page, server))['/www/js/boxes.js'], 'the panels');
	diag(`with all panels ${sumOf(await scriptsOf(page, server))} bytes`);
});

/* Of a trace: milliseconds of CPU time of the tasks of the page's main thread, and of its animation frames. */
function timesOf(trace) {
	const { traceEvents } = JSON.parse(trace);
	const mains = new Set(traceEvents.filter((event) => event.name === 'thread_name' && event.args.name === 'CrRendererMain').map((event) => `${event.pid}/${event.tid}`));
	const of = (...names) => traceEvents.filter((event) => names.includes(event.name) && event.ph === 'X' && mains.has(`${event.pid}/${event.tid}`) && event.tdur !== undefined)
		.map((event) => event.tdur / 1000).sort((a, b) => a - b);

	return { tasks: of('RunTask', 'ThreadControllerImpl::RunTask'), frames: of('FireAnimationFrame') };
}

const CATEGORIES = ['devtools.timeline', 'disabled-by-default-devtools.timeline', 'toplevel', 'blink.user_timing'];

/* Wheels over the timeline: in to seconds, along, and out to all there is. */
async function zoomAndScroll(page) {
	const box = await page.locator('#timeline canvas').first().boundingBox();
	const wheel = async (times, x, y, shift) => {
		if (shift)
			await page.keyboard.down('Shift');
		for (let i = 0; i < times; i++) {
			await page.mouse.wheel(x, y);
			await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
		}
		if (shift)
			await page.keyboard.up('Shift');
	};

	await page.mouse.move(box.x + box.width * 0.6, box.y + box.height * 0.6);
	await wheel(30, 0, -200);
	await wheel(30, 0, 300, true);
	await wheel(20, 0, 120);
	await wheel(30, 0, -400, true);
	await wheel(30, 0, 200);
}

async function traced(server, channel, at) {
	const page = await openAt(server, { channel, at });

	page.expect(/404.*chat\.json/);
	await until(async () => /\d{4}/.test(await page.locator('#timeline').textContent()), 'the timeline');
	await page.waitForLoadState('networkidle');
	await (await launch()).startTracing(page, { categories: CATEGORIES });
	await zoomAndScroll(page);
	const times = timesOf((await (await launch()).stopTracing()).toString());

	assert.ok(times.tasks.length > 100 && times.frames.length > 50, `a trace of ${times.tasks.length} tasks and ${times.frames.length} frames`);
	return times;
}

const median = (list) => list[list.length >> 1];
const told = ({ tasks, frames }) => `${tasks.length} tasks, longest ${tasks.slice(-3).map((ms) => ms.toFixed(1))} ms; ${frames.length} frames, median ${median(frames).toFixed(2)}, longest ${frames.at(-1).toFixed(1)} ms`;
let week = null;

await test(`no task of more than ${TASK_MOST} ms while the timeline of a week is zoomed and scrolled`, async () => {
	const server = await serve(await archive('week'));

	week = await traced(server, 'week', Date.parse('2026-10-29T12:00:00Z'));
	diag(told(week));
	assert.ok(week.tasks.at(-1) <= TASK_MOST, told(week));
});

await test('a frame of the week costs no more than one of an hour', async () => {
	const hour = await traced(await serve(await archive('feed')), 'feed', Date.parse('2026-10-26T00:30:00Z'));

	diag(told(hour));
	assert.ok(median(week.frames) < 3 * median(hour.frames) + 1, `${median(week.frames)} ms of a week, ${median(hour.frames)} of an hour`);
});

await finish();
