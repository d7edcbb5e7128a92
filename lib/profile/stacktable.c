#include "config.h"

#include "profile/stacktable.h"

#include <string.h>

#define MAX_PROBES 64

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ (hash >> 29);
}

static uint64_t hash_of(const struct stack *stack)
{
	uint64_t hash = mix((uintptr_t)stack->role, (uintptr_t)stack->endpoint);
	uint64_t thread[STACK_THREAD / sizeof(uint64_t)];

	memcpy(thread, stack->thread, sizeof(thread));
	for (size_t i = 0; i < ARRAY_SIZE(thread); i++)
		hash = mix(hash, thread[i]);
	for (uint32_t i = 0; i < stack->nr; i++)
		hash = mix(hash, stack->frames[i]);
	hash = mix(hash, stack->nr);
	return hash ? hash : 1;
}

static void publish(struct stack_entry *entry, const struct stack *stack)
{
	struct stack *to = &entry->stack;

	to->role = stack->role;
	to->endpoint = stack->endpoint;
	memcpy(to->thread, stack->thread, sizeof(to->thread));
	to->nr = stack->nr;
	memcpy(to->frames, stack->frames, stack->nr * sizeof(stack->frames[0]));
	atomic_store_explicit(&entry->is_ready, true, memory_order_release);
}

void stacktable_add(struct stacktable *t, const struct stack *stack)
{
	uint64_t hash = hash_of(stack);

	for (uint64_t i = 0; i < MAX_PROBES; i++) {
		struct stack_entry *entry =
			&t->entries[(hash + i) & (STACKTABLE_SIZE - 1)];
		uint64_t found = 0;

		if (atomic_compare_exchange_strong(&entry->hash, &found, hash))
			publish(entry, stack);
		else if (found != hash)
			continue;
		atomic_fetch_add_explicit(&entry->count, 1,
					  memory_order_relaxed);
		return;
	}
	atomic_fetch_add_explicit(&t->nr_lost, 1, memory_order_relaxed);
}

void stacktable_clear(struct stacktable *t)
{
	for (size_t i = 0; i < STACKTABLE_SIZE; i++) {
		struct stack_entry *entry = &t->entries[i];

		if (!entry->hash)
			continue;
		entry->is_ready = false;
		entry->count = 0;
		entry->hash = 0;
	}
	t->nr_lost = 0;
}

void stacktable_each(struct stacktable *t,
		     void (*fn)(void *ctx, const struct stack *stack,
				uint64_t count),
		     void *ctx)
{
	for (size_t i = 0; i < STACKTABLE_SIZE; i++) {
		struct stack_entry *entry = &t->entries[i];
		uint64_t count = entry->count;
		struct stack stack;

		if (!count || !atomic_load_explicit(&entry->is_ready,
						    memory_order_acquire))
			continue;
		stack = entry->stack;
		stack.thread[STACK_THREAD - 1] = '\0';
		if (stack.nr > STACKTABLE_DEPTH)
			stack.nr = STACKTABLE_DEPTH;
		fn(ctx, &stack, count);
	}
}
