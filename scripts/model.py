"""Converts a TensorFlow Lite model to ONNX: model.py IN.tflite OUT.onnx

Knows the six operators of the model that scripts/model brings, and refuses every other one. The
output is the same for the same versions of tflite, onnx and numpy.
"""

import sys

import numpy as np
import onnx
import tflite
from onnx import TensorProto, helper, numpy_helper

ADD, CONCATENATION, CONV, DEPTHWISE, DEQUANTIZE, RESHAPE = 0, 2, 3, 4, 6, 22
TYPES = {0: np.float32, 1: np.float16, 2: np.int32}
NO_ACTIVATION, RELU6 = 0, 3


class Converter:
    def __init__(self, data):
        self.model = tflite.Model.GetRootAsModel(data, 0)
        self.graph = self.model.Subgraphs(0)
        self.shapes, self.constants = {}, {}
        self.nodes, self.initial, self.reshapes = [], [], {}
        self.pictures = {}  # tensor -> value, channels first
        self.rows = {}  # tensor -> value, as TensorFlow lays it out

    def read_tensors(self):
        for number in range(self.graph.TensorsLength()):
            tensor = self.graph.Tensors(number)
            self.shapes[number] = [int(side) for side in tensor.ShapeAsNumpy()]
            buffer = self.model.Buffers(tensor.Buffer())
            if buffer.DataLength():
                values = buffer.DataAsNumpy().view(TYPES[tensor.Type()])
                self.constants[number] = values.reshape(self.shapes[number])

    def constant(self, name, values):
        self.initial.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, operator, inputs, **attributes):
        number = len(self.nodes) + 1
        output = f"n{number}"
        name = f"{operator}_{number}"
        self.nodes.append(helper.make_node(operator, inputs, [output], name=name, **attributes))
        return output

    def activated(self, value, activation):
        if activation == NO_ACTIVATION:
            return value
        if activation != RELU6:
            sys.exit(f"activation {activation} is unknown")
        return self.node("Clip", [value, "zero", "six"])

    def convolution(self, number, code, inputs, output, options):
        if options.Padding() != 0 or options.DilationHFactor() != 1:
            sys.exit(f"operator {number} has another padding or dilation")
        weights = self.constants[inputs[1]]
        weights = weights.transpose((0, 3, 1, 2) if code == CONV else (3, 0, 1, 2))
        height, width = weights.shape[2:]
        steps = options.StrideH(), options.StrideW()
        # "SAME": the odd pixel of padding is behind.
        before, after = [], []
        for axis, size in enumerate((height, width)):
            side, wanted = self.shapes[inputs[0]][axis + 1], self.shapes[output][axis + 1]
            total = max((wanted - 1) * steps[axis] + size - side, 0)
            before.append(total // 2)
            after.append(total - total // 2)
        named = [self.constant(f"w{number}", weights),
                 self.constant(f"b{number}", self.constants[inputs[2]])]
        value = self.node("Conv", [self.pictures[inputs[0]], *named], kernel_shape=[height, width],
                          strides=list(steps), pads=before + after,
                          group=1 if code == CONV else weights.shape[0], dilations=[1, 1])
        self.pictures[output] = self.activated(value, options.FusedActivationFunction())

    def reshape(self, source, output):
        shape = self.shapes[output]
        if source in self.rows:
            value = self.rows[source]
        else:
            value = self.node("Transpose", [self.pictures[source]], perm=[0, 2, 3, 1])
        key = "s" + "_".join(map(str, shape))
        if key not in self.reshapes:
            self.reshapes[key] = self.constant(key, np.array(shape, np.int64))
        self.rows[output] = self.node("Reshape", [value, self.reshapes[key]])

    def operator(self, number):
        operator = self.graph.Operators(number)
        codes = self.model.OperatorCodes(operator.OpcodeIndex())
        code = max(codes.BuiltinCode(), codes.DeprecatedBuiltinCode())
        inputs, output = [int(it) for it in operator.InputsAsNumpy()], int(operator.Outputs(0))

        def options(kind):
            table, found = operator.BuiltinOptions(), kind()
            found.Init(table.Bytes, table.Pos)
            return found

        if code == DEQUANTIZE:
            self.constants[output] = self.constants[inputs[0]].astype(np.float32)
        elif code == CONV:
            self.convolution(number, code, inputs, output, options(tflite.Conv2DOptions))
        elif code == DEPTHWISE:
            self.convolution(number, code, inputs, output, options(tflite.DepthwiseConv2DOptions))
        elif code == ADD:
            value = self.node("Add", [self.pictures[it] for it in inputs])
            activation = options(tflite.AddOptions).FusedActivationFunction()
            self.pictures[output] = self.activated(value, activation)
        elif code == RESHAPE:
            self.reshape(inputs[0], output)
        elif code == CONCATENATION:
            axis = options(tflite.ConcatenationOptions).Axis()
            self.rows[output] = self.node("Concat", [self.rows[it] for it in inputs], axis=axis)
        else:
            sys.exit(f"operator {code} is unknown")

    def convert(self):
        self.read_tensors()
        entry = int(self.graph.Inputs(0))
        self.pictures[entry] = self.node("Transpose", ["input"], perm=[0, 3, 1, 2])
        self.constant("zero", np.array(0, np.float32))
        self.constant("six", np.array(6, np.float32))
        for number in range(self.graph.OperatorsLength()):
            self.operator(number)
        ends = [self.rows[int(it)] for it in self.graph.OutputsAsNumpy()]
        names = dict(zip(ends, ("boxes", "classes")))
        for node in self.nodes:
            for place, value in enumerate(node.output):
                node.output[place] = names.get(value, value)
        info = helper.make_tensor_value_info
        inputs = [info("input", TensorProto.FLOAT, [1, 300, 300, 3])]
        outputs = [info("boxes", TensorProto.FLOAT, [1, 1917, 4]),
                   info("classes", TensorProto.FLOAT, [1, 1917, 24])]
        graph = helper.make_graph(self.nodes, "ssd", inputs, outputs, self.initial)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8,
                                  producer_name="smartpark")
        onnx.checker.check_model(model)
        return model.SerializeToString(deterministic=True)


def main():
    source, target = sys.argv[1:]
    with open(source, "rb") as file:
        data = file.read()
    with open(target, "wb") as file:
        file.write(Converter(data).convert())


if __name__ == "__main__":
    main()
