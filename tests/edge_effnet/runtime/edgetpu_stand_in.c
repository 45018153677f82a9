/* An external TFLite delegate that stands in for libedgetpu where no Edge TPU is.

   It is loaded, asked and run by the real runtime through the real interface; only the
   accelerator behind it is missing. It takes every operator called "edgetpu-custom-op", whose
   meaning here is a fully connected float layer: inputs [1, n] and [m, n], output [1, m].

   The structures are those of tensorflow/lite/core/c/common.h; those that are only
   pointed at end with the last field used. No C library is needed. */

typedef unsigned long size_type;
typedef enum { OK = 0, FAILED = 1 } Status;
typedef struct { int size; int data[]; } IntArray;

typedef struct {
  int type;
  union { float *floats; void *raw; } data;
  IntArray *dims;
  struct { float scale; int zero_point; } params;
  int allocation_type;
  size_type bytes;
  void *allocation, *name, *delegate;
  int buffer_handle;
  _Bool data_is_stale, is_variable;
  struct { int type; void *params; } quantization;
  void *sparsity, *dims_signature;
} Tensor;

typedef struct {
  IntArray *inputs, *outputs, *intermediates, *temporaries;
  void *user_data, *builtin_data;
} Node;

typedef struct Context Context;
typedef struct Delegate Delegate;

typedef struct {
  void *(*init)(Context *, const char *, size_type);
  void (*free)(Context *, void *);
  Status (*prepare)(Context *, Node *);
  Status (*invoke)(Context *, Node *);
  const char *(*profiling_string)(const Context *, const Node *);
  int builtin_code;
  const char *custom_name;
  int version;
  void *external, *async_kernel;
  unsigned long long inplace_operator;
} Registration;

struct Context {
  size_type tensors_size;
  Status (*GetExecutionPlan)(Context *, IntArray **);
  Tensor *tensors;
  void *impl;
  Status (*ResizeTensor)(Context *, Tensor *, IntArray *);
  void (*ReportError)(Context *, const char *, ...);
  Status (*AddTensors)(Context *, int, int *);
  Status (*GetNodeAndRegistration)(Context *, int, Node **, Registration **);
  Status (*ReplaceNodeSubsetsWithDelegateKernels)(Context *, Registration, const IntArray *,
                                                  Delegate *);
};

struct Delegate {
  void *data;
  Status (*Prepare)(Context *, Delegate *);
  void *CopyFromBufferHandle, *CopyToBufferHandle, *FreeBufferHandle;
  long long flags;
  void *opaque_delegate_builder;
};

typedef struct { Delegate *delegate; IntArray *nodes, *inputs, *outputs; } DelegateParams;

static int same(const char *left, const char *right) {
  while (left && *left && *left == *right) left++, right++;
  return left && *left == *right;
}

/* Copies, because the runtime moves its nodes about when it adds some; what they point at stays.
   Never given back: there are enough for the interpreters of a test. */
static Node taken[4096];
static int used;

/* The buffer of init is a DelegateParams. */
static void *init(Context *context, const char *buffer, size_type length) {
  const DelegateParams *params = (const DelegateParams *)buffer;
  Node *node = 0;
  Registration *registration = 0;
  if (params->nodes->size != 1 || used == 4096) return 0;
  if (context->GetNodeAndRegistration(context, params->nodes->data[0], &node, &registration))
    return 0;
  taken[used] = *node;
  return &taken[used++];
}

static void release(Context *context, void *buffer) {}

static Status prepare(Context *context, Node *node) { return node->user_data ? OK : FAILED; }

static Status invoke(Context *context, Node *node) {
  Node *own = node->user_data;
  Tensor *in = context->tensors + own->inputs->data[0];
  Tensor *weights = context->tensors + own->inputs->data[1];
  Tensor *out = context->tensors + own->outputs->data[0];
  int rows = weights->dims->data[0], columns = weights->dims->data[1];
  for (int row = 0; row < rows; row++) {
    float sum = 0;
    for (int column = 0; column < columns; column++)
      sum += in->data.floats[column] * weights->data.floats[row * columns + column];
    out->data.floats[row] = sum;
  }
  return OK;
}

static Status take(Context *context, Delegate *delegate) {
  struct { int size; int data[64]; } wanted = {0};
  IntArray *plan;
#ifdef CRASH
  *(volatile int *)0 = 1; /* what a library built for other structures ends in */
#endif
  if (context->GetExecutionPlan(context, &plan)) return FAILED;
  for (int place = 0; place < plan->size && wanted.size < 64; place++) {
    Node *node;
    Registration *registration;
    if (context->GetNodeAndRegistration(context, plan->data[place], &node, &registration))
      return FAILED;
    if (same(registration->custom_name, "edgetpu-custom-op"))
      wanted.data[wanted.size++] = plan->data[place];
  }
  Registration kernel = {init, release, prepare, invoke};
  kernel.custom_name = "EdgeTpuStandIn";
  kernel.version = 1;
  return context->ReplaceNodeSubsetsWithDelegateKernels(context, kernel, (IntArray *)&wanted,
                                                        delegate);
}

/* Flag 1, dynamic tensors allowed: otherwise the runtime prepares all operators first, and this
   one it does not know. */
static Delegate the_delegate = {0, take, 0, 0, 0, 1};

Delegate *tflite_plugin_create_delegate(char **keys, char **values, size_type count,
                                        void (*report_error)(const char *)) {
#ifdef NO_DEVICE
  report_error("no device");
  return 0;
#endif
  return &the_delegate;
}

void tflite_plugin_destroy_delegate(Delegate *delegate) {}
