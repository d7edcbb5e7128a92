/*
 * cutform.js - the elements of the cut panel, and the server's plan in them.
 */
import { TYPES, adviceFor, counted, planWords, warningWords } from './cutplan.js';
import { clear, copyText, el, icon } from './dom.js';
import { formatDuration } from './time.js';

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

/** The elements of the panel, by name; form and commands are to be put into it. */
export function buildForm(app) {
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

/** What is there instead while no range is whole. */
export const nothing = () => el('div', { class: 'state' }, icon('film'), el('strong', {}, 'Nothing is marked yet'),
	el('p', {}, 'Press ', el('kbd', {}, 'I'), ' where it begins and ', el('kbd', {}, 'O'), ' where it ends.'));

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

/**
 * Fills the facts and the notes of what the server said: known is of
 * createPlanner().  While it is asked, what it said last stays.
 * view: { type, measured, isAllowed, showFirst }.
 */
export function drawPlan(parts, known, view) {
	parts.plan.classList.toggle('stale', known.state === 'asking');
	if (known.state === 'asking')
		return;
	clear(parts.plan);
	clear(parts.warnings);
	if (known.state === 'refused') {
		parts.warnings.append(refusal(known.error, view.type));
		return;
	}
	for (const [term, text] of planWords(view.type, known.plan, view.measured))
		parts.plan.append(el('div', {}, el('dt', {}, term), el('dd', {}, text)));
	if (known.plan.holes)
		parts.warnings.append(holesLine(known.plan, view.isAllowed, view.showFirst));
	for (const warning of known.plan.warnings ?? [])
		parts.warnings.append(el('div', { class: 'cut-note' }, icon('warn'), el('p', {}, warningWords(warning))));
}
