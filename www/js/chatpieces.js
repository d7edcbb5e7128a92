/*
 * chatpieces.js - the chat of a channel, in pieces of ten minutes.
 *
 * Pieces are asked for when they are wanted, kept up to a number, and dropped
 * by least recent use.  One that may still grow is asked for again with its
 * ETag, so that what has not changed costs nothing.
 */
import { keyOf, readChat } from './chatlog.js';
import { urls } from './api.js';
import { MINUTE } from './time.js';

export const PIECE = 10 * MINUTE;
const MOST = 24;
/** Receivers write a minute's file when it is over, and others mirror it later. */
const SETTLED = 5 * MINUTE;
const AGAIN = 4000;
const LONGEST_PAUSE = 30000;

export const pieceOf = (ms) => Math.floor(ms / PIECE) * PIECE;

/* Messages of one id on which receivers disagree are all there: their keys must differ. */
function withKeys(messages, from) {
	const seen = new Map();

	return messages.map((message) => {
		const key = `${from} ${keyOf(message)}`;
		const n = (seen.get(key) ?? 0) + 1;

		seen.set(key, n);
		return { ...message, key: n > 1 ? `${key} ${n}` : key };
	});
}

/**
 * onChange() when a piece has come, or failed.  A piece: { from, state,
 * messages, error }, state 'loading', 'ready', 'none' (the channel has no chat there is)
 * or 'failed'.
 */
export function createPieces(api, channel, onChange, now = Date.now, hasChat = true) {
	const pieces = new Map();
	const ends = new AbortController();
	/* A channel without chat has none in any piece: that is asked for once in a while. */
	let noneAt = hasChat ? -Infinity : Infinity;

	function touch(piece) {
		pieces.delete(piece.from);
		pieces.set(piece.from, piece);
		for (const old of pieces.values()) {
			if (pieces.size <= MOST)
				break;
			pieces.delete(old.from);
		}
	}

	async function ask(piece) {
		piece.asking = true;
		try {
			const answer = await api.ask(urls.chat(channel, piece.from, piece.from + PIECE),
				{ signal: ends.signal, headers: piece.etag ? { 'If-None-Match': piece.etag } : {} });

			piece.fails = 0;
			if (answer.status !== 304)
				await take(piece, answer);
		} catch (error) {
			if (ends.signal.aborted)
				return;
			refuse(piece, error);
		} finally {
			piece.asking = false;
			piece.askedAt = now();
		}
	}

	async function take(piece, answer) {
		const messages = readChat(await answer.json());
		/* What touches a piece's beginning is of the piece before it. */
		const own = messages.filter((message) => message.at >= piece.from && message.at < piece.from + PIECE);

		piece.etag = answer.headers.get('ETag');
		piece.messages = withKeys(own, piece.from);
		piece.state = 'ready';
		piece.error = null;
		onChange();
	}

	function refuse(piece, error) {
		piece.fails++;
		piece.error = error;
		if (error.status === 404)
			noneAt = now();
		piece.state = error.status === 404 ? 'none' : piece.messages.length ? 'ready' : 'failed';
		onChange();
	}

	const mayGrow = (piece) => piece.from + PIECE + SETTLED > now();

	function isDue(piece) {
		const since = now() - piece.askedAt;

		if (piece.asking)
			return false;
		if (piece.error && piece.state !== 'none')
			return since > Math.min(LONGEST_PAUSE, 2000 * 2 ** piece.fails);
		return mayGrow(piece) && since > (piece.state === 'none' ? LONGEST_PAUSE : AGAIN);
	}

	return {
		/** The piece of a moment; asks for it if it is not there, or may have grown. */
		want(ms) {
			const from = pieceOf(ms);
			let piece = pieces.get(from);

			if (!piece) {
				piece = { from, state: 'loading', messages: [], error: null, etag: null, askedAt: 0, fails: 0, asking: false };
				if (now() - noneAt < LONGEST_PAUSE)
					return { ...piece, state: 'none' };
				ask(piece);
			} else if (isDue(piece)) {
				ask(piece);
			}
			touch(piece);
			return piece;
		},
		/** The same if it is there; asks for nothing. */
		peek: (ms) => pieces.get(pieceOf(ms)) ?? null,
		/** Asks again at once for what failed. */
		retry(ms) {
			const piece = pieces.get(pieceOf(ms));

			if (piece && !piece.asking)
				ask(piece);
		},
		end: () => ends.abort(),
	};
}
