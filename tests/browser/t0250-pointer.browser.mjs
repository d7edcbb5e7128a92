/* By the pointer: what is under it on the timeline, marks that are trimmed and ranges that are slid, boxes on a picture. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { readBarcode, until } from './browser.mjs';
import { START, marked, momentOf, openAt, pictureAt, press, said, shows } from './page.mjs';
import { archive, serve } from './server.mjs';
import { finish, test } from './tap.mjs';
import { absolute, urls } from '../../www/js/api.js';

const server = await serve(await archive('main'), ['--templates', await archive('templates')]);
const RANGE = [momentOf(600), momentOf(1050)];
const PLAYHEAD = 900;
const LANES = { archive: 0.36, wave: 0.6, ranges: 0.9 }; /* of the timeline's height */

globalThis.document = { baseURI: server.url };

/* The timeline, with all of the archive: where a moment is, and what the tip says of a place. */
async function timelineOf(page) {
	await page.getByRole('button', { name: 'All', exact: true }).click();
	const box = await page.locator('#timeline canvas').first().boundingBox();
	const tip = page.locator('.tl-tip');
	const under = async (x) => {
		await page.mouse.move(x, box.y + box.height * LANES.archive);
		return Date.parse(`${(await tip.locator('.tl-time').textContent()).replace(' ', 'T')}Z`);
	};
	const ends = [box.x + 5, box.x + box.width - 5];
	let moments;

	/* The view glides to it. */
	await until(async () => {
		const before = moments;

		moments = [await under(ends[0]), await under(ends[1])];
		return before && moments.every((moment, i) => moment === before[i]);
	}, 'a view that rests');
	const msPerPx = (moments[1] - moments[0]) / (ends[1] - ends[0]);

	return {
		tip, msPerPx, under,
		x: (moment) => ends[0] + (moment - moments[0]) / msPerPx,
		y: (lane) => box.y + box.height * LANES[lane],
	};
}

async function drag(page, from, to) {
	await page.mouse.move(...from);
	await page.mouse.down();
	await page.mouse.move((from[0] + to[0]) / 2, (from[1] + to[1]) / 2, { steps: 4 });
	await page.mouse.move(...to, { steps: 4 });
	await page.mouse.up();
}

/* The edit is in the address a little after it was changed. */
const becomes = (page, isRight) => until(async () => {
	const ranges = await marked(page);

	return isRight(ranges) && ranges;
}, 'marks').catch(async (error) => assert.fail(`${JSON.stringify(await marked(page))}: ${error.message}`));

await test('under the pointer are the time, a picture from there, and holes', async () => {
	const page = await openAt(server, { at: momentOf(PLAYHEAD) });
	const timeline = await timelineOf(page);
	const canvas = timeline.tip.locator('canvas');

	for (const seconds of [5, 75, 130]) {
		const moment = await timeline.under(timeline.x(START + seconds * 1000));

		assert.ok(Math.abs(moment - START - seconds * 1000) <= timeline.msPerPx);
		/* Of a sheet whose pictures are four seconds apart at the most. */
		await until(async () => await canvas.isVisible() && await canvas.evaluate((element) => {
			const block = element.width / 20;
			const context = Object.assign(document.createElement('canvas'), { width: element.width, height: 1 }).getContext('2d', { willReadFrequently: true });

			context.drawImage(element, 0, -Math.floor(block / 2));
			const { data } = context.getImageData(0, 0, element.width, 1);
			const bright = (nth) => data[Math.floor((nth + 0.5) * block) * 4] > 127;

			return [...Array(16).keys()].reduce((number, bit) => number + bright(bit + 2) * 2 ** bit, 0);
		}).then((number) => Math.abs(START + number * 1000 / 30 - moment) <= 4000), `a picture of second ${seconds}`);
	}
	await timeline.under(timeline.x(START + 95000));
	assert.equal(await timeline.tip.locator('.tl-word').textContent(), 'hole: nothing recorded');
	await until(async () => !await canvas.isVisible(), 'no picture');
});

await test('small pictures that did not come are asked for again', async () => {
	const page = await openAt(server, { at: momentOf(PLAYHEAD) });
	const timeline = await timelineOf(page);
	let refused = 0;

	page.expect(/Failed to load resource/, /request failed/);
	await page.route(/\/storyboard\//, (route) => refused++ < 1 ? route.abort() : route.continue());
	await until(async () => {
		await timeline.under(timeline.x(START + 130000 + Math.random() * 3000));
		return refused > 1 && timeline.tip.locator('canvas').isVisible();
	}, 'a picture');
});

await test('a click shows that moment, and a wheel keeps it under the pointer', async () => {
	const page = await openAt(server, { at: momentOf(PLAYHEAD) });
	const timeline = await timelineOf(page);
	const x = Math.round(timeline.x(START + 120000));
	const moment = await timeline.under(x);

	await page.mouse.click(x, timeline.y('archive'));
	/* The tip rounds to a millisecond. */
	await until(async () => Math.abs(pictureAt(moment) - pictureAt(await said(page) ?? 0)) <= 1, 'the moment');
	await shows(page, pictureAt(await said(page)));
	for (const by of [-300, -300, 300]) {
		await page.mouse.wheel(0, by);
		await until(async () => Math.abs(await timeline.under(x) - moment) <= timeline.msPerPx, 'the same moment');
	}
});

await test('a mark is dragged: with Alt to where it is let go, else to what is near; undone at once', async () => {
	const page = await openAt(server, { at: momentOf(PLAYHEAD), ranges: [RANGE] });

	await shows(page, PLAYHEAD);
	const timeline = await timelineOf(page);
	const at = (moment) => [timeline.x(moment), timeline.y('wave')];

	await page.keyboard.down('Alt');
	await drag(page, at(RANGE[1]), at(START + 57000));
	await page.keyboard.up('Alt');
	await becomes(page, ([[from, to]]) => from === RANGE[0] && Math.abs(to - START - 57000) <= 2 * timeline.msPerPx);
	await press(page, 'Control+z');
	await becomes(page, ([range]) => range[0] === RANGE[0] && range[1] === RANGE[1]);

	const [x, y] = at(momentOf(PLAYHEAD));

	await drag(page, at(RANGE[1]), [x + 3, y]);
	await becomes(page, ([[from, to]]) => from === RANGE[0] && to === momentOf(PLAYHEAD));
	await drag(page, at(RANGE[0]), [timeline.x(START + 10000), y]);
	await becomes(page, ([[from, to]]) => Math.abs(from - START - 10000) <= 7 * timeline.msPerPx && to === momentOf(PLAYHEAD));
	assert.equal(await readBarcode(page), PLAYHEAD, 'what is shown stays');
});

await test('the selected range is slid in its lane, and keeps its length', async () => {
	const page = await openAt(server, { at: momentOf(PLAYHEAD), ranges: [RANGE] });

	await shows(page, PLAYHEAD);
	const timeline = await timelineOf(page);
	const middle = (RANGE[0] + RANGE[1]) / 2 - 4000;

	await page.keyboard.down('Alt');
	await drag(page, [timeline.x(middle), timeline.y('ranges')], [timeline.x(middle + 80000), timeline.y('ranges')]);
	await page.keyboard.up('Alt');
	await becomes(page, ([[from, to]]) => to - from === RANGE[1] - RANGE[0] && Math.abs(from - RANGE[0] - 80000) <= 2 * timeline.msPerPx);
});

await test('boxes of a thumbnail are dragged by their handles and moved; what is saved is what the server makes of them', async () => {
	const page = await openAt(server, { at: momentOf(1111) });
	const box = page.getByRole('group', { name: /^Cut out of the picture/ });
	const values = async () => /left (-?\d+), top (-?\d+), right (-?\d+), bottom (-?\d+)$/.exec(await box.getAttribute('aria-label')).slice(1).map(Number);
	const handle = async (name) => {
		const { x, y, width, height } = await box.getByRole('button', { name }).boundingBox();

		return [x + width / 2, y + height / 2];
	};

	await shows(page, 1111);
	await page.locator('#tab-picture').click();
	await page.getByRole('button', { name: 'Take the picture at the playhead' }).click();
	const save = page.getByRole('button', { name: 'Save the thumbnail' });

	await until(async () => await save.isVisible() && await save.isEnabled(), 'the thumbnail');
	await box.scrollIntoViewIfNeeded();
	const whole = await values();
	const corner = await handle(/bottom right/);

	await drag(page, corner, [corner[0] - 80, corner[1] - 60]);
	const small = await values();

	assert.deepEqual(small.slice(0, 2), whole.slice(0, 2));
	assert.ok(small[2] < whole[2] && small[3] < whole[3], `${small}`);
	const place = await box.boundingBox();
	const centre = [place.x + place.width / 2, place.y + place.height / 2];

	await drag(page, centre, [centre[0] + 20, centre[1] + 15]);
	const moved = await values();

	assert.deepEqual([moved[2] - moved[0], moved[3] - moved[1]], [small[2] - small[0], small[3] - small[1]], 'its size');
	assert.ok(moved[0] > small[0] && moved[1] > small[1], `${moved}`);
	await box.press('ArrowRight');
	assert.equal((await values())[0], moved[0] + 1);
	const crop = await values();
	const wanted = urls.thumbnail('main', 'source', momentOf(1111), 'blue', crop, [10, 10, 170, 100]);

	await until(async () => await save.isEnabled(), 'the thumbnail');
	const [saved] = await Promise.all([page.waitForEvent('download'), save.click()]);

	assert.ok((await readFile(await saved.path())).equals(Buffer.from(await (await fetch(absolute(wanted))).arrayBuffer())), wanted);
});

await finish();
