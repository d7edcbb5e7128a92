/*
 * preview.js - a short video over the player's: what the server makes of a join.
 */
import { clear, el, icon } from './dom.js';

/** Returns preview(url, title); it is closed by its button, Escape, or its end. */
export function mountPreview(root, app) {
	let back = null;

	function close() {
		clear(root);
		root.hidden = true;
		back?.focus();
		back = null;
	}

	root.addEventListener('keydown', (event) => {
		if (event.key === 'Escape')
			close();
		event.stopPropagation();
	});
	return function preview(url, title) {
		const state = el('div', { class: 'state', role: 'status' }, el('div', { class: 'spinner' }), el('p', {}, 'The server joins them'));
		const video = el('video', { src: url, controls: true, autoplay: true, volume: app.store.state.volume, muted: app.store.state.muted, 'aria-label': title });
		const leave = el('button', { type: 'button', class: 'icon', 'aria-label': 'Close', on: { click: close } }, icon('close'));

		app.player.pause();
		back = document.activeElement;
		clear(root).append(video, state, el('div', { class: 'title row' }, el('strong', {}, title), el('div', { class: 'spacer' }), leave));
		root.hidden = false;
		leave.focus();
		video.addEventListener('loadeddata', () => state.remove(), { once: true });
		video.addEventListener('error', async () => {
			/* The element does not say why; the server does. */
			const reason = await app.api.askOnce(url.replace(`${new URL('.', document.baseURI).href}`, '') + '&dry_run=true')
				.then(() => 'The video could not be made.', (error) => error.message);

			clear(state).append(icon('warn'), el('p', {}, reason));
		}, { once: true });
	};
}
