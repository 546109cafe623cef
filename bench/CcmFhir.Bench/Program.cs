using CcmFhir.Bench;

// One line of JSON a figure; --short takes seconds where the whole takes minutes. A command is one line.
var shorter = args.Contains("--short");
var named = Array.IndexOf(args, "--server") is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : null;
var commands = new Dictionary<string, Func<Task>>(StringComparer.Ordinal)
{
    ["validate"] = () => Task.Run(() => ValidateBench.Run(shorter)),
    ["decide"] = () => Task.Run(() => DecideBench.Run(shorter)),
    ["journal"] = () => JournalBench.RunAsync(shorter),
    ["blob"] = () => BlobBench.RunAsync(shorter),
    ["load"] = async () => await LoadBench.RunAsync(await PublishedServer.FindAsync(named), shorter),
};
if (args.FirstOrDefault() is not { } name || !commands.TryGetValue(name, out var command))
{
    await Console.Error.WriteLineAsync($"usage: {string.Join('|', commands.Keys)} [--short] [--server PATH]");
    return 2;
}
await command();
return 0;
