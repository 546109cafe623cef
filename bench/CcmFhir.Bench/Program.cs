using CcmFhir.Bench;
using CcmFhir.Bench.Draw;
using CcmFhir.Bench.Micro;

// One line of JSON a figure; --short takes seconds where the whole takes minutes. A command is one line.
var options = BenchOptions.Read(args);
var commands = new Dictionary<string, Func<Task>>(StringComparer.Ordinal)
{
    ["validate"] = () => Task.Run(() => ValidateBench.Run(options.Short)),
    ["micro"] = () => Task.Run(() => MicroBench.Run(options.Short)),
    ["decide"] = () => Task.Run(() => DecideBench.Run(options.Short)),
    ["journal"] = () => JournalBench.RunAsync(options.Short),
    ["load"] = () => LoadBench.RunAsync(options),
    ["blob"] = () => BlobBench.RunAsync(options.Short),
    ["scale"] = () => ScaleBench.RunAsync(options),
    ["coldstart"] = () => ColdStartBench.RunAsync(options),
    ["draw"] = () => Task.Run(DrawBench.Run),
    ["soak"] = async () => Environment.ExitCode = await SoakBench.RunAsync(options),
};
if (args.FirstOrDefault() is not { } name || !commands.TryGetValue(name, out var command))
{
    await Console.Error.WriteLineAsync($"usage: {string.Join('|', commands.Keys)} {BenchOptions.Usage}");
    return 2;
}
await command();
return Environment.ExitCode;
