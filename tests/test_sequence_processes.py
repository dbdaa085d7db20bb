"""Sequence operations in processes of their own: hostile arguments, memory, Ctrl-C, forks."""

from __future__ import annotations

import pytest
from processes import ok, run

HOSTILE = """
lstm(z(5, 2, 3), [z(1, 2, 4), z(1, 2, 4)], [None, z(16, 4)], False, 1, 0.0, False, False, False)
lstm(z(5, 3), [None, z(1, 4)], [z(16, 3), z(16, 4)], False, 1, 0.0, False, False, False)
lstm_cell(z(3), [None, z(4)], z(16, 3), z(16, 4))
lstm(z(5, 2, 3), [z(1, 2, 4)] * 2, [], True, 2**62, 0.0, False, False, False)
rnn_tanh(z(5, 2, 3), z(1, 2, 4), [], False, 2**62, 0.0, False, True, False)
"""


@pytest.mark.parametrize("call", HOSTILE.strip().splitlines())
def test_hostile_arguments_raise(call):
    r = run(
        f"""
z = lamina.zeros
try:
    lamina.{call}
except (ValueError, TypeError):
    pass
else:
    raise SystemExit(3)
"""
    )
    assert r.returncode == 0, f"exit {r.returncode}\n{r.stderr}"


def test_memory_of_the_process_stays_small():
    """Buffers of kernels, which the statistics do not count, included."""
    out = ok(
        """
import resource
F = lamina.nn.functional
def once(n):
    q, k, v = (lamina.randn(1, 1, n, 8, requires_grad=True) for _ in range(3))
    F.scaled_dot_product_attention(q, k, v).sum().backward()
once(64)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
once(8192)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    )
    assert int(out) < 64 * 1024


PREPARE = """
F = lamina.nn.functional
w = [lamina.randn(512, 128) * 0.05, lamina.randn(512, 128) * 0.05]
x, h = lamina.randn(600, 16, 128), lamina.zeros(1, 16, 128)
q = lamina.randn(1, 1, 3000, 64, requires_grad=True)
def lstm(): return lamina.lstm(x, [h, h], w, False, 1, 0.0, False, False, False)[0]
def lstm_back():
    for t in w: t.requires_grad_()
    return lamina.autograd.grad(lstm().sum(), w)[0]
def attention(): return F.scaled_dot_product_attention(q, q, q)
def attention_back(): return lamina.autograd.grad(attention().sum(), q)[0]
"""


@pytest.mark.slow
@pytest.mark.parametrize("what", ["lstm", "lstm_back", "attention", "attention_back"])
def test_ctrl_c(what):
    out = ok(
        f"""{PREPARE}
want = {what}().detach().numpy().copy()
worst, started, used = 0.0, time.perf_counter(), time.process_time()
for i in range(3):
    sent = [0.0]
    def send():
        time.sleep(0.05 + 0.03 * i)
        sent[0] = time.perf_counter()
        os.kill(os.getpid(), signal.SIGINT)
    t = threading.Thread(target=send)
    t.start()
    try:
        while True:
            {what}()
    except KeyboardInterrupt:
        worst = max(worst, time.perf_counter() - sent[0])
    t.join()
assert ({what}().detach().numpy() == want).all()
print(worst, (time.perf_counter() - started) / (time.process_time() - used))
""",
        timeout=120,
        OMP_NUM_THREADS="1",
    )
    worst, slowness = map(float, out.split())
    assert worst < 0.2 * max(1.0, slowness)


def test_a_forked_process_computes_the_same():
    ok(
        f"""{PREPARE}
x, q = x[:20], q[:, :, :200].detach().requires_grad_()
want = [f().detach().numpy().copy() for f in (lstm, lstm_back, attention, attention_back)]
child = os.fork()
if child == 0:
    same = all((f().detach().numpy() == a).all() for f, a in zip((lstm, lstm_back, attention, attention_back), want))
    os._exit(0 if same else 4)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""
    )
