package main

import (
	"io"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// newLogger returns the operator's log: warnings, and with verbose what goes on. It has
// no times in its console form, which is read while it is written.
func newLogger(w io.Writer, format string, verbose bool) *zap.Logger {
	conf := zapcore.EncoderConfig{
		MessageKey: "msg", LevelKey: "level", NameKey: "logger", LineEnding: "\n",
		EncodeLevel: zapcore.LowercaseLevelEncoder, EncodeTime: zapcore.RFC3339NanoTimeEncoder,
		EncodeDuration: zapcore.StringDurationEncoder, ConsoleSeparator: ": ",
	}
	enc := zapcore.NewConsoleEncoder(conf)
	if format == "json" {
		conf.TimeKey = "ts"
		enc = zapcore.NewJSONEncoder(conf)
	}
	level := zapcore.WarnLevel
	if verbose {
		level = zapcore.InfoLevel
	}
	return zap.New(zapcore.NewCore(enc, zapcore.AddSync(w), level)).Named("telltale")
}
