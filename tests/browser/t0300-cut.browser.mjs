/* The cut that the page downloads, proved to the picture; and the lines to copy, run, are the same bytes. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { until } from './browser.mjs';
import { START, momentOf, openAt, press, shows } from './page.mjs';
import { PROGRAM, archive, checkCut, run, serve, tempDir } from './server.mjs';
import { finish, test } from './tap.mjs';

const base = await archive('main');
const server = await serve(base);
const work = await tempDir('cuts');
const RANGES = [[momentOf(337), momentOf(512)], [momentOf(3001), momentOf(3100)]];

const fromStart = (ranges) => ranges.map((range) => range.map((ms) => ms - START));

/* Files are chosen by nobody here: the page saves them as downloads. */
async function openCut(state) {
	const page = await openAt(server, { at: RANGES[0][0], ...state });

	await page.evaluate(() => { delete window.showSaveFilePicker; });
	await page.locator('#tab-cut').click();
	return page;
}

/** Until the cut can be begun, and its file. */
async function download(page, click) {
	const [saved] = await Promise.all([page.waitForEvent('download', { timeout: 60000 }), click()]);
	const file = path.join(work, `${Math.random()}-${saved.suggestedFilename()}`);

	await saved.saveAs(file);
	return file;
}

const goButton = (page) => page.locator('#cut button[type="submit"]');

async function ready(page) {
	await until(async () => await goButton(page).isEnabled() && /\d [kM]?B/.test(await goButton(page).textContent()), 'the plan');
}

async function prove(file, ranges, ...options) {
	const proof = await checkCut(base, 'main', 'source', file, fromStart(ranges), ...options);

	assert.ok(proof.good, proof.said);
}

const lines = (page) => page.locator('#cut code').allTextContents();

await test('two ranges: the file holds exactly their pictures', async () => {
	const page = await openCut({ ranges: RANGES });

	await ready(page);
	await prove(await download(page, () => goButton(page).click()), RANGES);
});

await test('marks that are set by keyboard are cut to the picture', async () => {
	const page = await openCut({ at: momentOf(1501) });

	await shows(page, 1501);
	await press(page, 'i');
	for (let i = 1; i <= 3; i++)
		await press(page, '.').then(() => shows(page, 1501 + i));
	await press(page, 'o');
	await ready(page);
	await prove(await download(page, () => goButton(page).click()), [[momentOf(1501), momentOf(1505)]], '--quick');
});

await test('with a transition', async () => {
	const page = await openCut({ ranges: RANGES, joins: [{ type: 'fade', seconds: 1 }] });

	await ready(page);
	await prove(await download(page, () => goButton(page).click()), RANGES, '--transitions=1', '--quick');
});

await test('the line for curl and the line for restreamer bring the same bytes', async () => {
	const page = await openCut({ ranges: RANGES, joins: [{ type: 'wipeleft', seconds: 0.5 }] });

	await ready(page);
	const file = await download(page, () => goButton(page).click());

	await page.locator('#cut summary').click();
	const said = await lines(page);
	const curl = said.find((line) => line.startsWith('curl '));
	const program = said.find((line) => line.startsWith('restreamer '));

	assert.ok(curl && program, said.join('\n'));
	for (const [folder, line] of [['curl', curl], ['program', program]]) {
		const dir = await tempDir(folder);

		await run('sh', ['-c', line], { cwd: dir, env: { ...process.env, PATH: `${path.dirname(PROGRAM)}:${process.env.PATH}`, RESTREAMER_BASE: base } });
		const made = (await run('ls', [dir])).stdout.trim();

		assert.ok((await readFile(path.join(dir, made))).equals(await readFile(file)), `${folder}: ${line}`);
	}
});

await test('what is copied is the line', async () => {
	const page = await openCut({ ranges: RANGES });

	await ready(page);
	await page.locator('#cut summary').click();
	await page.locator('#cut').getByRole('button', { name: 'Copy' }).first().click();
	const copied = await until(() => page.evaluate(() => navigator.clipboard.readText()), 'a copy');

	assert.equal(copied, (await lines(page))[0]);
});

await test('left to the browser it is the same file', async () => {
	const page = await openCut({ ranges: RANGES });

	await ready(page);
	const ours = await download(page, () => goButton(page).click());
	const theirs = await download(page, () => page.locator('#cut').getByRole('link', { name: /browser/i }).click());

	assert.ok((await readFile(ours)).equals(await readFile(theirs)));
});

await test('a connection that breaks is taken up again, and the file is whole', async () => {
	const page = await openCut({ ranges: RANGES });
	let broken = 0;

	page.expect(/\/cut\//, /Failed to load resource/);
	await ready(page);
	await page.route(/\/cut\/.*\.ts/, async (route) => {
		if (route.request().url().includes('dry_run') || broken++)
			return route.continue();
		return route.abort('connectionreset');
	});
	await prove(await download(page, () => goButton(page).click()), RANGES, '--quick');
	assert.ok(broken > 1, 'it was asked again');
});

await test('holes are told of, shown, and left out if that is wanted', async () => {
	const page = await openCut({ ranges: [[START + 38000, START + 44000]] });

	await until(async () => /1 hole/.test(await page.locator('#cut').textContent()), 'the hole');
	assert.ok(await goButton(page).isDisabled());
	await page.locator('#cut').getByRole('button', { name: /first hole/i }).click();
	await page.locator('#cut').getByRole('checkbox', { name: /holes/i }).check();
	await ready(page);
	await download(page, () => goButton(page).click());
});

await finish();
