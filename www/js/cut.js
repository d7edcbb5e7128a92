/*
 * cut.js - the cut: what becomes of the ranges that are marked.
 *
 * The server is asked what each change would give (its dry run) before
 * anything is made.  The cut itself is fetched by the page (download.js), left
 * to the browser, or taken away as a command.
 */
import { absolute, urls } from './api.js';
import { curlLine, programLine } from './commands.js';
import { createPlanner } from './cutask.js';
import { TYPES, adviceFor, counted, cutArgs, formatBytes, hasRanges, planWords, safeName, typeOf, warningWords } from './cutplan.js';
import { createDownloads } from './download.js';
import { mountDownloadList } from './downloadlist.js';
import { clear, copyText, el, icon, setText } from './dom.js';
import { lengthOf, wholeOf } from './edit.js';
import { openSink } from './saving.js';
import { formatDuration, isoTime } from './time.js';

const check = (label, hint) => {
	const box = el('input', { type: 'checkbox' });

	return { box, root: el('label', { class: 'check' }, box, el('span', {}, label, hint ? el('span', { class: 'quiet small' }, ` ${hint}`) : null)) };
};

function codeBox(label, app) {
	const code = el('code', {});
	const copy = el('button', { type: 'button', on: { async click() {
		app.say(await copyText(code.textContent) ? 'Copied' : 'The browser does not let the page copy. Select the line and copy it.', { kind: 'info' });
	} } }, icon('copy'), 'Copy');

	return { code, root: el('div', { class: 'code' }, el('div', { class: 'code-head' }, el('span', { class: 'quiet small' }, label), copy), el('pre', { tabIndex: 0 }, code)) };
}

function buildForm(app) {
	const type = el('select', { 'aria-describedby': 'cut-type-says' }, ...TYPES.map(({ id, label }) => el('option', { value: id }, label)));
	const parts = {
		type, says: el('p', { id: 'cut-type-says', class: 'quiet small' }),
		faststart: check('Plain MP4', 'for editing programs; made whole before it is sent'),
		holes: check('Leave holes out', 'and cut what there is'),
		name: el('input', { spellcheck: false, autocomplete: 'off', 'aria-label': 'Name of the file' }),
		ending: el('span', { class: 'quiet' }),
		sum: el('p', { class: 'cut-sum' }),
		plan: el('dl', { class: 'cut-plan' }),
		warnings: el('div', { class: 'cut-warnings', role: 'status' }),
		go: el('button', { type: 'submit', class: 'primary cut-go' }, icon('download'), el('span', {}, 'Cut')),
		link: el('a', { class: 'small' }, 'Leave it to the browser'),
		curl: codeBox('With curl, from anywhere', app),
		program: codeBox('With restreamer, beside the archive', app),
	};

	parts.form = el('form', { class: 'cut-form' }, parts.sum,
		el('label', { class: 'field stack' }, el('span', {}, 'Type'), type), parts.says, parts.faststart.root, parts.holes.root,
		el('label', { class: 'field stack' }, el('span', {}, 'Name'), el('span', { class: 'cut-name' }, parts.name, parts.ending)),
		parts.plan, parts.warnings, parts.go, el('p', { class: 'cut-else' }, parts.link));
	parts.commands = el('details', { class: 'cut-commands' }, el('summary', {}, 'As a command'), parts.curl.root, parts.program.root);
	return parts;
}

const nothing = () => el('div', { class: 'state' }, icon('film'), el('strong', {}, 'Nothing is marked yet'),
	el('p', {}, 'Press ', el('kbd', {}, 'I'), ' where it begins and ', el('kbd', {}, 'O'), ' where it ends.'));

/** The name that a cut has if nobody gives it one. */
export const defaultName = (channel, from) => safeName(`${channel}-${isoTime(from).slice(0, 19)}`);

/* The moment of the first hole in the ranges of the cut, or null. */
async function firstHole(app, ranges) {
	for (const range of ranges) {
		const holes = await app.coverage.holesIn(range.in, range.out);

		if (holes.length)
			return Math.max(holes[0].from, range.in);
	}
	return null;
}

function holesLine(plan, isAllowed, showFirst) {
	const words = `${counted(plan.holes, 'hole')}, ${formatDuration(plan.holes_duration * 1000, 3)} together`;

	return el('div', { class: isAllowed ? 'cut-note' : 'cut-note bad' }, icon('warn'),
		el('div', {}, el('p', {}, words, isAllowed ? ' that the cut leaves out.' : '. Move the marks, or leave holes out.'),
			el('button', { type: 'button', on: { click: showFirst } }, 'Show the first hole')));
}

function refusal(error, type) {
	const { title, advice } = adviceFor(error, type);

	return el('div', { class: 'cut-note bad' }, icon('warn'), el('div', {}, el('strong', {}, title),
		error.message ? el('p', { class: 'small' }, error.message) : null, el('p', {}, advice)));
}

/* Fills the facts and the notes of what the server said. */
function drawPlan(parts, known, view) {
	clear(parts.plan);
	clear(parts.warnings);
	parts.plan.classList.toggle('stale', known.state === 'asking');
	if (known.state === 'refused') {
		parts.warnings.append(refusal(known.error, view.type));
		return;
	}
	if (!known.plan)
		return;
	for (const [term, text] of planWords(view.type, known.plan, view.measured))
		parts.plan.append(el('div', {}, el('dt', {}, term), el('dd', {}, text)));
	if (known.plan.holes)
		parts.warnings.append(holesLine(known.plan, view.isAllowed, view.showFirst));
	for (const warning of known.plan.warnings ?? [])
		parts.warnings.append(el('div', { class: 'cut-note' }, icon('warn'), el('p', {}, warningWords(warning))));
}

/* A download waits for a server that is busy or away. */
const willPass = (error) => error.status === 0 || error.status === 503;

function goWords(ms, known) {
	const bytes = known.state === 'known' ? known.plan.bytes : undefined;

	return `Cut ${formatDuration(ms)}${Number.isFinite(bytes) ? `, ${formatBytes(bytes)}` : ''}`;
}

export function mountCut(root, app) {
	const { state } = app.store;
	const parts = buildForm(app);
	const empty = nothing();
	const list = el('section', { class: 'dl-section', 'aria-label': 'Downloads' }, el('h2', {}, 'Downloads'));
	let known = { state: 'asking' };
	let cut = null;

	const planner = createPlanner(app.api, (next) => {
		known = next.state === 'asking' ? { ...next, plan: known.plan } : next;
		draw();
	});
	const downloads = createDownloads({ fetch: (...args) => fetch(...args), onChange: (job) => { changed(job); } });
	const redraw = mountDownloadList(list, downloads);

	root.classList.add('cut');
	root.append(empty, parts.form, parts.commands, list);

	const fileName = () => `${safeName(parts.name.value || parts.name.placeholder)}.${cut.ending}`;
	const urlOf = (more = {}) => urls.cut(cut.channel, cut.quality, cut.ending, cut.ranges, cut.joins, { ...cut.args, ...more });

	function changed(job) {
		redraw(job);
		if (job.state === 'done')
			draw();
	}

	/* The cut as it stands: what is asked for, and what the commands say. */
	function read() {
		const { ranges, joins } = wholeOf(state.edit);
		const type = typeOf(parts.type.value);

		if (!ranges.length || !state.channel || !state.quality)
			return null;
		return { channel: state.channel, quality: state.quality, ending: type.ending, ranges, joins, type,
			args: cutArgs(type, { holes: parts.holes.box.checked, faststart: parts.faststart.box.checked }) };
	}

	function update() {
		cut = read();
		empty.hidden = Boolean(cut);
		parts.form.hidden = parts.commands.hidden = !cut;
		if (!cut) {
			planner.drop();
			known = { state: 'asking' };
			return;
		}
		setText(parts.says, cut.type.says);
		parts.faststart.root.hidden = cut.type.id !== 'mp4';
		setText(parts.ending, `.${cut.ending}`);
		parts.name.placeholder = defaultName(cut.channel, cut.ranges[0].in);
		if (state.tab === 'cut')
			planner.ask(cut);
		draw();
	}

	function draw() {
		if (!cut)
			return;
		const ms = lengthOf(state.edit);
		const holes = known.plan?.holes > 0 && !parts.holes.box.checked;

		setText(parts.sum, `${counted(cut.ranges.length, 'range')}, ${formatDuration(ms, 3)}`);
		drawPlan(parts, known, { type: cut.type, measured: downloads.measured, isAllowed: parts.holes.box.checked, showFirst });
		setText(parts.go.lastChild, goWords(ms, known));
		parts.go.disabled = parts.link.hidden = (known.state === 'refused' && !willPass(known.error)) || holes;
		drawCommands();
	}

	function drawCommands() {
		const name = fileName();
		const ranges = hasRanges(cut.type, parts.faststart.box.checked);

		parts.link.href = absolute(urlOf({ download: name }));
		parts.link.download = name;
		setText(parts.curl.code, curlLine(absolute(urlOf()), name, { ranges }));
		setText(parts.program.code, programLine(cut.channel, cut.quality, cut.ranges, cut.joins, cut.args, name));
	}

	async function showFirst() {
		try {
			const at = await firstHole(app, cut.ranges);

			if (at !== null)
				app.player.seek(at);
			else
				app.say('No hole is known there any more', { kind: 'info' });
		} catch (error) {
			app.say(`The holes cannot be listed: ${error.message}`, { kind: 'bad' });
		}
	}

	async function go() {
		const what = { url: absolute(urlOf()), name: fileName(), pictures: known.plan?.frames_to_encode ?? 0 };
		const sink = await openSink(what.name);

		if (!sink)
			return;
		const job = await downloads.start(what, sink).ended;

		if (job.state === 'done')
			app.say(`${job.name} is there`, { kind: 'info' });
		else if (job.state === 'failed')
			app.say(`${job.name} failed: ${job.fault}`, { kind: 'bad' });
	}

	parts.form.addEventListener('submit', (event) => {
		event.preventDefault();
		if (cut && !parts.go.disabled)
			go();
	});
	parts.form.addEventListener('change', update);
	parts.name.addEventListener('input', draw);
	app.store.watch(['edit', 'channel', 'quality', 'tab'], update);
	window.addEventListener('beforeunload', (event) => {
		if (downloads.isBusy())
			event.preventDefault();
	});
}
