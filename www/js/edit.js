/*
 * edit.js - the edit: ranges in their order, and what joins them.
 *
 * A value { ranges, joins, selected } that is never changed, only replaced, so
 * that undoing is to take the one before.  ranges: [{ id, in, out }], moments
 * (time.js) or null where a mark is not yet set; out is the first moment that
 * is not in the range.  joins[i] is { type, seconds } between ranges i and
 * i + 1, or null for a hard cut.
 */

export const NOTHING = { ranges: [], joins: [], selected: null };

/** The shortest range: less than a picture's time. */
const SHORTEST = 4;

const isWhole = (range) => range.in !== null && range.out !== null;

/** The ranges that have both marks, with the joins between them, as a cut takes them. */
export function wholeOf(edit) {
	const ranges = [];
	const joins = [];

	edit.ranges.forEach((range, i) => {
		if (!isWhole(range))
			return;
		if (ranges.length)
			joins.push(edit.joins[i - 1] ?? null);
		ranges.push(range);
	});
	return { ranges, joins };
}

/** Milliseconds that the edit takes: transitions let ranges overlap. */
export function lengthOf(edit) {
	const { ranges, joins } = wholeOf(edit);
	const sum = ranges.reduce((ms, range) => ms + range.out - range.in, 0);

	return sum - joins.reduce((ms, join) => ms + (join ? join.seconds * 1000 : 0), 0);
}

/** How long a transition between ranges i and i + 1 may be, in milliseconds: the server's rule. */
export function longestJoin(edit, i) {
	const length = (range) => range && isWhole(range) ? range.out - range.in : 0;

	return Math.min(length(edit.ranges[i]), length(edit.ranges[i + 1]));
}

const selectedOf = (edit) => edit.ranges.find((range) => range.id === edit.selected) ?? null;

const nextId = (edit) => edit.ranges.reduce((id, range) => Math.max(id, range.id), 0) + 1;

function withRange(edit, id, change) {
	return { ...edit, ranges: edit.ranges.map((range) => range.id === id ? { ...range, ...change } : range) };
}

/** Adds a range behind the selected one, or at the end, and selects it. */
export function add(edit, from, to) {
	const id = nextId(edit);
	const at = edit.ranges.findIndex((range) => range.id === edit.selected) + 1 || edit.ranges.length;
	const ranges = edit.ranges.toSpliced(at, 0, { id, in: from, out: to });
	const joins = edit.ranges.length ? edit.joins.toSpliced(Math.min(at, edit.joins.length), 0, null) : [];

	return { ranges, joins, selected: id };
}

/** The in mark at a moment: of the selected range, or, at or behind its end, of a new one. */
export function markIn(edit, ms) {
	const range = selectedOf(edit);

	if (!range || (range.out !== null && ms > range.out - SHORTEST))
		return add(edit, ms, null);
	return withRange(edit, range.id, { in: ms });
}

/** The out mark at a moment: of the selected range; null where it would not be behind its in mark. */
export function markOut(edit, ms) {
	const range = selectedOf(edit);

	if (!range)
		return add(edit, null, ms);
	if (range.in !== null && ms < range.in + SHORTEST)
		return null;
	return withRange(edit, range.id, { out: ms });
}

/** Moves one mark ('in' or 'out') to a moment, as near as the other mark lets it. */
export function trim(edit, id, mark, ms) {
	const range = edit.ranges.find((one) => one.id === id);

	if (!range)
		return edit;
	if (mark === 'in')
		return withRange(edit, id, { in: range.out === null ? ms : Math.min(ms, range.out - SHORTEST) });
	return withRange(edit, id, { out: range.in === null ? ms : Math.max(ms, range.in + SHORTEST) });
}

/** Moves both marks of a range. */
export function slide(edit, id, byMs) {
	const range = edit.ranges.find((one) => one.id === id);
	const moved = (ms) => ms === null ? null : ms + byMs;

	return range ? withRange(edit, id, { in: moved(range.in), out: moved(range.out) }) : edit;
}

export function select(edit, id) {
	return edit.selected === id ? edit : { ...edit, selected: id };
}

export function remove(edit, id) {
	const at = edit.ranges.findIndex((range) => range.id === id);

	if (at < 0)
		return edit;
	const ranges = edit.ranges.toSpliced(at, 1);
	const joins = edit.joins.toSpliced(Math.max(at - 1, 0), 1);
	const near = ranges[Math.min(at, ranges.length - 1)];

	return { ranges, joins, selected: edit.selected === id ? near?.id ?? null : edit.selected };
}

/** Puts a range at another place of the order; joins stay where they are. */
export function move(edit, id, to) {
	const at = edit.ranges.findIndex((range) => range.id === id);
	const place = Math.max(0, Math.min(to, edit.ranges.length - 1));

	if (at < 0 || at === place)
		return edit;
	return { ...edit, ranges: edit.ranges.toSpliced(at, 1).toSpliced(place, 0, edit.ranges[at]) };
}

export function join(edit, i, how) {
	return { ...edit, joins: edit.joins.with(i, how) };
}

/**
 * The edit with its past.  begin() and end() around a drag make one step of it;
 * change() outside of them is a step of its own.
 */
export function createHistory(get, set) {
	const past = [];
	const future = [];
	let held = null;

	function remember(edit) {
		past.push(edit);
		if (past.length > 500)
			past.shift();
		future.length = 0;
	}

	return {
		/** Replaces the edit by fn(edit); null from fn changes nothing and is returned as false. */
		change(fn) {
			const was = get();
			const is = fn(was);

			if (!is)
				return false;
			if (is === was)
				return true;
			if (!held && (is.ranges !== was.ranges || is.joins !== was.joins))
				remember(was);
			set(is);
			return true;
		},
		begin() {
			held ??= get();
		},
		end() {
			if (held && (held.ranges !== get().ranges || held.joins !== get().joins))
				remember(held);
			held = null;
		},
		undo() {
			if (!past.length)
				return false;
			future.push(get());
			set(past.pop());
			return true;
		},
		redo() {
			if (!future.length)
				return false;
			past.push(get());
			set(future.pop());
			return true;
		},
		canUndo: () => past.length > 0,
		canRedo: () => future.length > 0,
	};
}
