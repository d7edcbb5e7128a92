/*
 * states.js - what people meet that is not a video: nothing there yet, no such
 * channel, a hole, a server that is busy or away, a stream that has ended. Each
 * says what can be done.
 */
import { urls } from './api.js';
import { clear, el, icon, setText } from './dom.js';
import { SECOND, formatDuration, formatTime } from './time.js';
import { ageOf } from './window.js';

const LATE = 20 * SECOND; /* a live stream whose newest segment is as old has stopped, maybe */

/* Seconds: the server is asked again, and the page goes on, after pauses that double, until it was well for so long. */
const LONGEST_PAUSE = 15;
const CALM = 30;

const act = (label, run) => el('button', { type: 'button', on: { click: run } }, label);

/* What the stage says instead of a picture: null, or { title, text, busy, actions }. */
function stageState(state, app) {
	const { channels, qualities, channel, quality, archive, player, trouble } = state;

	if (state.health === 'lost' && !archive)
		return { title: 'The server cannot be reached', text: 'It is asked again every few seconds, and the page goes on when it answers.', busy: true };
	if (trouble && !archive)
		return { title: 'That did not work', text: trouble, actions: [act('Try again', () => app.restart())] };
	if (!channels)
		return { title: 'Loading', busy: true };
	if (!channels.length)
		return { title: 'The archive is empty', text: 'No channel has been recorded yet. This page shows it as soon as there is one.' };
	if (!channels.includes(channel))
		return { title: `There is no channel “${channel}”`, text: 'The link may be of another server, or the channel was removed. Choose one of those that are there:',
			actions: channels.slice(0, 6).map((one) => act(one, () => app.setChannel(one))) };
	if (!qualities)
		return { title: 'Loading', busy: true };
	if (!qualities.length)
		return { title: 'Nothing was recorded of this channel', text: 'Choose another one, or wait: it appears here when it begins.' };
	if (!quality)
		return { title: 'There is no such quality', text: 'Choose one of those that are there:', actions: qualities.slice(0, 6).map((one) => act(one, () => app.store.set({ quality: one }))) };
	if (state.isEmpty)
		return { title: 'Nothing is recorded yet', text: 'The quality is there, but no video. This page shows it as soon as there is some.' };
	if (player === 'missing')
		return { title: 'The video cannot be played here', text: 'hls.js was not installed with the page (deploy/get-hls fetches it), or this browser has no Media Source Extensions. Marks, cuts, pictures and chat work without.' };
	if (player === 'hole')
		return { title: 'Nothing was recorded here', text: state.at === null ? '' : `At ${formatTime(state.at, state.clock)} there is a hole.`,
			actions: [act('To the next recording', () => app.skipHole(1)), act('To the one before', () => app.skipHole(-1))] };
	if (player === 'failed' && state.health === 'ok')
		return { title: 'The video could not be loaded', text: 'Maybe what was here has been deleted.', actions: [act('Try again', () => app.player.retry())] };
	if (player === 'unreadable')
		return { title: 'This browser cannot decode the video here', text: 'Maybe its format is one that browsers lack, such as HEVC, or it has no key frame to begin with. Another quality, another place or another browser may do. Marks, cuts and pictures work without.',
			actions: [act('Try again', () => app.player.retry())] };
	if (!archive || (player === 'loading' && state.at === null))
		return { title: 'Loading', busy: true };
	return null;
}

export function mountShade(root, app) {
	let shown = '';

	app.store.watch(['channels', 'qualities', 'channel', 'quality', 'archive', 'player', 'health', 'trouble', 'isEmpty'], (state) => {
		const now = stageState(state, app);
		const key = now ? `${now.title}\n${now.text ?? ''}` : '';

		root.hidden = !now;
		if (key === shown)
			return;
		shown = key;
		clear(root);
		if (now)
			root.append(el('div', { class: 'state', role: 'status' },
				now.busy ? el('div', { class: 'spinner' }) : icon('film'),
				el('strong', {}, now.title), now.text ? el('p', {}, now.text) : null,
				now.actions ? el('div', { class: 'row' }, ...now.actions) : null));
	});
	/* A short wait for a picture is not said. */
	app.store.watch(['player'], ({ player }) => root.parentElement.classList.toggle('loading', player === 'loading'));
}

/** Short notices at the bottom: say(text, { kind, action }). */
export function createNotices(root) {
	return function say(text, { kind = 'info', action = null } = {}) {
		const note = el('div', { class: `notice ${kind}` }, kind === 'bad' ? icon('warn') : null, el('span', {}, text),
			action ? act(action.label, () => {
				note.remove();
				action.run();
			}) : null);

		while (root.querySelectorAll('.notice').length >= 2)
			root.querySelector('.notice').remove();
		root.append(note);
		setTimeout(() => note.remove(), kind === 'bad' || action ? 6000 : 2500);
	};
}

/*
 * One banner for what lasts: the server is away or busy, or the stream has
 * stopped.  Asks /healthz until it answers.
 */
export function mountBanner(root, app) {
	const { store, api } = app;
	const text = el('span');
	const again = act('Try now', () => check());
	const banner = el('div', { class: 'notice banner', hidden: true, id: 'banner' }, icon('warn'), text, again);
	let wait = 1;
	let pause = 0;
	let restartedAt = -Infinity;
	let timer = null;

	async function check() {
		clearTimeout(timer);
		try {
			await api.askOnce(urls.health());
		} catch {
			schedule();
		}
	}

	function schedule() {
		clearTimeout(timer);
		timer = setTimeout(check, wait * SECOND);
		wait = Math.min(wait * 2, LONGEST_PAUSE);
	}

	/* At once; not where only some of its answers come, and it is well and away by turns. */
	function restart() {
		const isCalm = performance.now() - restartedAt > CALM * SECOND;

		clearTimeout(timer);
		wait = isCalm ? 1 : wait;
		pause = isCalm ? 0 : Math.min(Math.max(pause * 2, 1), LONGEST_PAUSE);
		timer = setTimeout(() => {
			restartedAt = performance.now();
			app.restart();
		}, pause * SECOND);
	}

	function message({ health, following, archive, grewAt, playing }) {
		if (health === 'lost')
			return 'The server cannot be reached. What is loaded can still be watched; the page goes on by itself when it answers.';
		if (health === 'busy')
			return 'The server is busy: too many cuts at once. It is asked again in a moment.';
		const age = archive ? ageOf(archive, grewAt, Date.now()) : 0;

		if (following && playing && age > LATE)
			return `No new video for ${formatDuration(age)}. The stream may have ended; what comes is shown by itself.`;
		return '';
	}

	function update() {
		const words = message(store.state);

		banner.hidden = !words;
		again.hidden = store.state.health === 'ok';
		setText(text, words);
	}

	root.append(banner);
	let was = 'ok';

	/* Whoever hears of it first: the page goes on. */
	store.watch(['health'], ({ health }) => {
		if (health !== 'ok') {
			schedule();
		} else if (was !== 'ok') {
			restart();
		}
		was = health;
	});
	store.watch(['health', 'following', 'archive', 'playing'], update);
	setInterval(update, 5 * SECOND);
}
