using System.CommandLine;
using CcmFhir.Functions;
using CcmFhir.Intake;

namespace CcmFhir.Commands;

/// <summary><c>ccmfhir serve</c>: the server.</summary>
internal static class ServeCommand
{
    public static Command Build(TimeProvider clock)
    {
        var command = new Command(
            "serve",
            "Runs the server. Settings come from the environment (Ccm__Store, Ccm__Practices ...) or as --Ccm:Store=..., --urls=http://127.0.0.1:5080."
        )
        {
            TreatUnmatchedTokensAsErrors = false,
        };
        command.SetAction(
            async (parsed, cancel) =>
            {
                // The command line waits for a program that it is told to end only when it has its task in hands: without this it has it after all that
                // runs without a wait, which may be the whole start, and a signal at that moment ends it on the spot with 143.
                await Task.Yield();
                try
                {
                    HouseDoor.Warm();
                    await using var app = await Server.BuildAsync([.. parsed.UnmatchedTokens], clock, cancel);
                    // The Functions host kills and never asks to stop; it does not start again what ends with 0, and it does with 200.
                    var end = FunctionsHost.StartedUs(app.Configuration) ? 200 : 0;
                    await app.RunAsync(cancel);
                    return end;
                }
                catch (Exception fault)
                    when (fault is InvalidDataException or InvalidOperationException or ArgumentException or IOException
                    )
                {
                    // What is wrong with the settings is for the person who starts it; a stack trace would hide it.
                    await Console.Error.WriteLineAsync(fault.Message);
                    return 1;
                }
            }
        );
        return command;
    }
}
