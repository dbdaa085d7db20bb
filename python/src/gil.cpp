// Releasing the GIL, and leaving the process while other threads compute.
//
// When main returns, the interpreter and the static objects of the process go away under any daemon thread. So at exit
// such threads are stopped first: kernels end early, and a thread that would come back into Python sleeps instead.
#include <pthread.h>
#include <unistd.h>

#include <atomic>

#include "bindings.h"
#include "lamina/backend.h"

namespace lamina::python {
namespace {

std::atomic<int> outside{0};  // threads that run without the GIL
std::atomic<bool> closing{false};
int released = 0;  // the same, but counted under the GIL: what a collection of garbage may rely on
pthread_t main_thread;

bool must_stop() { return (closing || _Py_IsFinalizing()) && !pthread_equal(pthread_self(), main_thread); }
void sleep_for_ever() {
  for (;;) pause();
}

// Long kernels ask every 10 ms whether the user wants to stop; Python's own handlers decide.
bool interrupt_poll() {
  if (must_stop()) return true;
  if (_Py_IsFinalizing()) return false;
  const PyGILState_STATE gil = PyGILState_Ensure();
  const bool stop = PyErr_Occurred() != nullptr || PyErr_CheckSignals() != 0;
  PyGILState_Release(gil);
  return stop;
}

// Waits, without the GIL, until no other thread computes; at most two seconds.
void close_down() {
  closing = true;
  PyThreadState* state = PyEval_SaveThread();
  for (int i = 0; i < 2000 && (outside > 0 || i < 5); ++i) usleep(1000);
  PyEval_RestoreThread(state);
}

}  // namespace

bool computing_without_gil() { return released > 0; }

ReleaseGil::ReleaseGil(bool on) : state_(nullptr) {
  if (!on) return;
  ++released;
  state_ = PyEval_SaveThread();
  ++outside;
  if (!must_stop()) return;
  --outside;
  sleep_for_ever();
}

ReleaseGil::~ReleaseGil() {
  if (!state_) return;
  --outside;
  if (must_stop()) sleep_for_ever();
  PyEval_RestoreThread(state_);
  --released;
}

void init_gil(py::module_&) {
  main_thread = pthread_self();
  cpu::set_interrupt_poll(interrupt_poll);
  py::module_::import("atexit").attr("register")(py::cpp_function(close_down));
}

}  // namespace lamina::python
