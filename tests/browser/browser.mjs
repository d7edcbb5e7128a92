/*
 * browser.mjs - Chromium, pages that are watched, and what they show.
 *
 * Every page notes what must not be: errors and warnings on its console, errors
 * of its scripts, requests that fail or leave the server, violations of its
 * Content-Security-Policy.  A test that opened a page fails if there is any;
 * one that provokes some says so first, with page.expect(pattern).
 *
 * Environment:  CHROMIUM           the program; else /usr/bin/chromium
 *               BROWSER_PATIENCE   seconds (30)
 *               BROWSER_PICTURES   where a page is photographed whose test failed
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { after, diag, end, skipAll } from './tap.mjs';

const PROGRAM = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** A guard against hanging, not a measure of anything. */
export const PATIENCE = Number(process.env.BROWSER_PATIENCE ?? 30) * 1000;

let browser = null;
let photographs = 0;

/** The one of this program; ends it with a skip where there is none. */
export async function launch() {
	if (browser)
		return browser;
	if (!existsSync(PROGRAM))
		await skipAll(`${PROGRAM} is not there`);
	const { chromium } = await import('playwright-core').catch(() => skipAll('playwright-core is not installed (npm ci)'));

	browser = await chromium.launch({
		executablePath: PROGRAM,
		args: ['--autoplay-policy=no-user-gesture-required', '--disable-background-networking', '--force-color-profile=srgb',
			...process.getuid() === 0 ? ['--no-sandbox'] : []],
	});
	end(() => browser.close());
	return browser;
}

const isLeft = (error) => /ERR_ABORTED/.test(error ?? '');

/** Notes the faults of a page in a list. */
function watch(page, origin) {
	const faults = [];
	const inside = (url) => /^(blob|data|about):/.test(url) || new URL(url).origin === origin;

	page.on('console', (message) => {
		if (['error', 'warning'].includes(message.type()))
			faults.push(`console ${message.type()}: ${message.text()} (${message.location().url})`);
	});
	page.on('pageerror', (error) => faults.push(`error: ${error.message} ${error.stack}`));
	page.on('request', (request) => {
		if (!inside(request.url()))
			faults.push(`request to another origin: ${request.url()}`);
	});
	page.on('requestfailed', (request) => {
		if (!isLeft(request.failure()?.errorText))
			faults.push(`request failed: ${request.url()}: ${request.failure()?.errorText}`);
	});
	page.on('crash', () => faults.push('the page crashed'));
	return faults;
}

async function photograph(page) {
	const folder = process.env.BROWSER_PICTURES;

	if (!folder || page.isClosed())
		return;
	const file = path.join(folder, `${path.basename(process.argv[1], '.browser.mjs')}-${++photographs}.png`);

	await page.screenshot({ path: file, timeout: 5000 }).then(() => diag(`photographed: ${file}`), () => {});
}

/**
 * A page of its own, watched, closed when the test has ended.  options are
 * those of a browser context, and url (relative to the server) or '' for none
 * yet.
 */
export async function openPage(server, url = '', options = {}) {
	const context = await (await launch()).newContext({
		viewport: { width: 1440, height: 900 }, colorScheme: 'dark', acceptDownloads: true, reducedMotion: 'reduce',
		permissions: ['clipboard-read', 'clipboard-write'], ...options,
	});
	const page = await context.newPage();
	const faults = watch(page, new URL(server.url).origin);
	const expected = [];

	page.setDefaultTimeout(PATIENCE);
	page.faults = faults;
	page.expect = (...patterns) => expected.push(...patterns);
	after(async (failed) => {
		const left = faults.filter((fault) => !expected.some((pattern) => pattern.test(fault)));

		if (failed || left.length)
			await photograph(page);
		await context.close();
		assert.deepEqual(left, [], 'the page has faults');
	});
	await page.addInitScript(() => document.addEventListener('securitypolicyviolation', (event) =>
		console.error(`CSP ${event.violatedDirective}: ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`)));
	if (url !== null)
		await page.goto(new URL(url, server.url).href);
	return page;
}

/* The functions below up to readers() are run in the page. */

function installReader() {
	const canvas = document.createElement('canvas');
	const context = canvas.getContext('2d', { willReadFrequently: true });
	const seen = [];
	const clock = [];

	/* Bright are 2 to 17, or not; what is beside them must be dark, or it is no such picture. */
	function read(video, isShown = false) {
		const block = Math.floor(video.videoWidth / 20);

		if (!block || (!isShown && video.readyState < 2))
			return null;
		canvas.width = video.videoWidth;
		canvas.height = block + 1;
		context.drawImage(video, 0, 0);
		/* Below are bright bars: black is what is shown before there is a picture, and not the one numbered 0. */
		context.drawImage(video, 0, Math.floor(video.videoHeight * 0.6), canvas.width, 1, 0, block, canvas.width, 1);
		if (!context.getImageData(0, block, canvas.width, 1).data.some((value, i) => i % 4 < 3 && value > 127))
			return null;
		const { data } = context.getImageData(0, block >> 1, canvas.width, 1);
		const bright = (nth) => data[(nth * block + (block >> 1)) * 4] > 127;

		if ([0, 1, 18, 19].some(bright))
			return null;
		let number = 0;

		for (let bit = 0; bit < 16; bit++)
			number += bright(bit + 2) ? 2 ** bit : 0;
		return number;
	}

	function record() {
		const video = document.getElementById('video');

		/* While it looks for a picture the page hides those that it comes by. */
		const take = () => {
			if (getComputedStyle(video).visibility !== 'visible') {
				requestAnimationFrame(take);
				return;
			}
			/* The page may have begun to look for the next one. */
			const number = read(video, true);

			if (number !== null && seen.at(-1) !== number)
				seen.push(number);
		};
		const next = () => {
			clock.push({ at: performance.now() / 1000, time: video.currentTime });
			take();
			video.requestVideoFrameCallback(next);
		};

		video.requestVideoFrameCallback(next);
	}

	/* The most that the media's clock went ahead of the wall's from one picture to the next: what was not played. */
	const leap = () => Math.max(0, ...clock.slice(1).map((now, i) => now.time - clock[i].time - (now.at - clock[i].at)));

	window.barcode = { read: () => read(document.getElementById('video')), record, seen, clock, leap };
}

async function reader(page) {
	if (!await page.evaluate(() => 'barcode' in window))
		await page.evaluate(installReader);
}

/** The number of the picture that <video> shows, or null. */
export async function readBarcode(page) {
	await reader(page);
	return page.evaluate(() => window.barcode.read());
}

/**
 * From now on notes the number of each picture that is shown; seen() gives them in order.  A busy machine leaves
 * some out; leap() tells that from what the player skips: the seconds of the longest leap of its clock.
 */
export async function record(page) {
	await reader(page);
	await page.evaluate(() => {
		window.barcode.seen.length = 0;
		window.barcode.clock.length = 0;
		if (!window.barcode.recording)
			window.barcode.record();
		window.barcode.recording = true;
	});
	return { seen: () => page.evaluate(() => window.barcode.seen), leap: () => page.evaluate(() => window.barcode.leap()) };
}

/** Until <video> shows a picture and is not on its way to another.  A page with an error in a script never will. */
export async function waitForVideo(page) {
	await until(() => {
		assert.deepEqual(page.faults.filter((fault) => fault.startsWith('error')), [], 'the scripts of the page fail');
		return page.evaluate(() => {
			const video = document.getElementById('video');

			return video.readyState >= 2 && !video.seeking && video.videoWidth > 0;
		});
	}, 'a picture');
}

/* A page that loads anew is asked again. */
const isLoading = (error) => {
	if (/Execution context was destroyed|because of a navigation/.test(error.message))
		return null;
	throw error;
};

/** Until condition() answers something true, which is the result. */
export async function until(condition, what, patience = PATIENCE) {
	for (const began = performance.now(); ;) {
		const value = await Promise.resolve(condition()).catch(isLoading);

		if (value)
			return value;
		if (performance.now() - began > patience)
			throw new Error(`waited ${patience / 1000} s for ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
}
