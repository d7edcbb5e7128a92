/*
 * main.js - puts the page together.
 */
import { createApi } from './api.js';
import { parseAddress } from './address.js';
import { createHistory } from './edit.js';
import { createStore } from './store.js';

const address = parseAddress(location.hash);
const store = createStore({
	channel: address.channel, quality: address.quality, channels: null, qualities: null,
	clock: address.clock ?? { zone: 'utc', zero: null }, edit: address.edit,
	at: address.at, playing: false, following: false, rate: 1, volume: 1, muted: false, frameMs: 1000 / 60,
	archive: null, view: null, health: 'ok', tab: 'chat',
});
const app = {
	store,
	api: createApi((health) => store.set({ health })),
	history: createHistory(() => store.state.edit, (edit) => store.set({ edit })),
	say() {},
};
