#include "config.h"

#include "profile.h"

#include <errno.h>
#include <execinfo.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <ucontext.h>

#include "route.h"

#define HANDLER_FRAMES 4 /* the handler's own, and the kernel's trampoline */

/* Written before the handler is installed, or while the signal is blocked. */
static struct profile *profile;
static const char *role;
static const _Atomic uint32_t *route;

/* Where a thread was interrupted, or 0 on a machine we do not know. */
static uintptr_t pc_of(const void *context)
{
#if defined(__x86_64__)
	return (uintptr_t)((const ucontext_t *)context)
		->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
	return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.pc;
#else
	(void)context;
	return 0;
#endif
}

/*
 * Whether the thread does nothing: it fell asleep after it was seen running, so
 * that the kernel begins its call anew behind the handler, or lets it fail; or
 * it was woken for a lock or a condition and has not left the kernel since.  Of
 * the latter there are many where threads outnumber processors: over half of
 * what would be the samples of a whole cut on two.
 */
static bool is_resting(const void *context)
{
#if defined(__x86_64__)
	static const unsigned char syscall_code[2] = { 0x0f, 0x05 };
	const greg_t *regs = ((const ucontext_t *)context)->uc_mcontext.gregs;
	greg_t result = regs[REG_RAX];
	greg_t operation = regs[REG_RSI]; /* if the call is futex(2) */
	bool was_woken = (operation == FUTEX_WAIT_PRIVATE ||
			  operation == (FUTEX_WAIT_BITSET_PRIVATE |
					FUTEX_CLOCK_REALTIME)) &&
			 (result == 0 || result == -EAGAIN);
	const char *pc = (const char *)regs[REG_RIP];

	if (result == -EINTR || was_woken)
		pc -= sizeof(syscall_code);
	return !memcmp(pc, syscall_code, sizeof(syscall_code));
#else
	(void)context;
	return false;
#endif
}

/* Fills in the frames from the interrupted one outwards. */
static void take_frames(struct stack *stack, const void *context)
{
	void *frames[STACKTABLE_DEPTH + HANDLER_FRAMES];
	uintptr_t pc = pc_of(context);
	int nr = backtrace(frames, STACKTABLE_DEPTH + HANDLER_FRAMES);
	int first = 0;

	while (first < nr && (uintptr_t)frames[first] != pc)
		first++;
	stack->nr = 0;
	if (first == nr) /* the unwinder did not get out of the handler */
		stack->frames[stack->nr++] = pc;
	for (int i = first; i < nr && stack->nr < STACKTABLE_DEPTH; i++)
		stack->frames[stack->nr++] = (uintptr_t)frames[i];
}

static const char *endpoint_now(void)
{
	const struct route *now = route ? route_at(*route) : NULL;

	return now ? now->name : NULL;
}

static void on_sample(int number, siginfo_t *info, void *context)
{
	int saved_errno = errno;
	int table = info->si_value.sival_int;
	struct stack stack;

	UNUSED(number);
	if (info->si_code != SI_QUEUE || table < 0 || table >= PROFILE_TABLES ||
	    !(profile->on & 1u << table) || is_resting(context))
		return;
	stack.role = role;
	stack.endpoint = endpoint_now();
	memset(stack.thread, 0, sizeof(stack.thread));
	prctl(PR_GET_NAME, stack.thread);
	take_frames(&stack, context);
	stacktable_add(&profile->tables[table], &stack);
	errno = saved_errno;
}

struct profile *profile_new(uint32_t hz)
{
	struct profile *p =
		mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	p->hz = hz;
	return p;
}

static void change_mask(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPROF);
	pthread_sigmask(how, &set, NULL);
}

void profile_install(struct profile *p)
{
	struct sigaction action = { .sa_sigaction = on_sample,
				    .sa_flags = SA_SIGINFO | SA_RESTART };
	void *frame;

	profile_forbid();
	profile = p;
	/* The first call loads libgcc, which no handler may. */
	backtrace(&frame, 1);
	sigfillset(&action.sa_mask);
	sigaction(SIGPROF, &action, NULL);
	p->is_usable = true;
}

void profile_file_under(const char *role_name,
			const _Atomic uint32_t *route_number)
{
	sigset_t set, before;

	sigemptyset(&set);
	sigaddset(&set, SIGPROF);
	pthread_sigmask(SIG_BLOCK, &set, &before);
	role = role_name;
	route = route_number;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void profile_allow(void)
{
	if (profile)
		change_mask(SIG_UNBLOCK);
}

void profile_forbid(void)
{
	change_mask(SIG_BLOCK);
}

void profile_begin(struct profile *p, enum profile_table table)
{
	stacktable_clear(&p->tables[table]);
	atomic_fetch_or(&p->on, 1u << table);
}

void profile_end(struct profile *p, enum profile_table table)
{
	atomic_fetch_and(&p->on, ~(1u << table));
}
